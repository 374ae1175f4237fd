trigger OpportunityTrigger on Opportunity (before insert, before update) {
    if (Trigger.isInsert) {
        OpportunityTriggerHandler.beforeInsert(Trigger.new);
    } else {
        OpportunityTriggerHandler.beforeUpdate(Trigger.new, Trigger.oldMap);
    }
}

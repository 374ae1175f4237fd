trigger AccountHouseholdTrigger on Account (after insert, after update, after delete) {
    Set<Id> households = new Set<Id>();
    if (Trigger.new != null) {
        households.addAll(HouseholdRollup.householdsOf(Trigger.new));
    }
    if (Trigger.old != null) {
        households.addAll(HouseholdRollup.householdsOf(Trigger.old));
    }
    HouseholdRollup.recalculate(households);
}

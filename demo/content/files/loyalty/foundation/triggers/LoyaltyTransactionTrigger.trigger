trigger LoyaltyTransactionTrigger on Loyalty_Transaction__c (after insert) {
    LoyaltyAccrual.post(Trigger.new);
}

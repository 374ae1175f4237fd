import { LightningElement, api, wire } from 'lwc';
import { refreshApex } from '@salesforce/apex';
import quotesOf from '@salesforce/apex/RenewalQuoteController.quotesOf';
import makeQuote from '@salesforce/apex/RenewalQuoteController.makeQuote';

const COLUMNS = [
    { label: 'Quote', fieldName: 'Name' },
    { label: 'Price', fieldName: 'Price__c', type: 'currency' },
    { label: 'Valid until', fieldName: 'Valid_Until__c', type: 'date' },
    { label: 'Status', fieldName: 'Status__c' }
];

export default class RenewalQuotePanel extends LightningElement {
    @api recordId;
    columns = COLUMNS;
    quotes = [];
    busy = false;
    problem;

    @wire(quotesOf, { opportunityId: '$recordId' })
    receive(result) {
        this.loaded = result;
        this.quotes = result.data ?? [];
    }

    async makeQuote() {
        this.busy = true;
        this.problem = undefined;
        try {
            await makeQuote({ opportunityId: this.recordId });
            await refreshApex(this.loaded);
        } catch (error) {
            this.problem = error.body?.message ?? 'The quote could not be made.';
        } finally {
            this.busy = false;
        }
    }
}

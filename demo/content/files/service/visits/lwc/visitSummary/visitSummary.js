import { LightningElement, api, wire } from 'lwc';
import visitsOf from '@salesforce/apex/VisitPlannerController.visitsOf';

export default class VisitSummary extends LightningElement {
    @api recordId;
    visits = [];

    @wire(visitsOf, { caseId: '$recordId' })
    receive({ data }) {
        this.visits = data ?? [];
    }

    get summary() {
        return this.visits.length === 1 ? '1 visit' : `${this.visits.length} visits`;
    }
}

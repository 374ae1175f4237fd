import { LightningElement, api, wire } from 'lwc';
import comingRenewals from '@salesforce/apex/RenewalListController.comingRenewals';
import emptyText from '@salesforce/label/c.Renewal_List_Empty';

export default class RenewalList extends LightningElement {
    @api days = 90;
    emptyText = emptyText;
    renewals = [];

    @wire(comingRenewals, { days: '$days' })
    receive({ data }) {
        this.renewals = data ?? [];
    }

    get heading() {
        return `Renewals in ${this.days} days`;
    }

    get hasRenewals() {
        return this.renewals.length > 0;
    }
}

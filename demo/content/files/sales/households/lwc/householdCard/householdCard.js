import { LightningElement, api, wire } from 'lwc';
import householdOf from '@salesforce/apex/HouseholdController.householdOf';
import emptyText from '@salesforce/label/c.Household_Card_Empty';

export default class HouseholdCard extends LightningElement {
    @api recordId;
    emptyText = emptyText;
    household;

    @wire(householdOf, { accountId: '$recordId' })
    receive({ data }) {
        this.household = data;
    }
}

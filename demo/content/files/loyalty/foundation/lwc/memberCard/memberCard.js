import { LightningElement, api, wire } from 'lwc';
import membersOf from '@salesforce/apex/MemberController.membersOf';
import emptyText from '@salesforce/label/c.Member_Card_Empty';

export default class MemberCard extends LightningElement {
    @api recordId;
    emptyText = emptyText;
    members = [];

    @wire(membersOf, { accountId: '$recordId' })
    receive({ data }) {
        this.members = data ?? [];
    }

    get isEmpty() {
        return this.members.length === 0;
    }
}

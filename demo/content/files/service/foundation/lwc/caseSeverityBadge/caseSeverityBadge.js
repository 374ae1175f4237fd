import { LightningElement, api, wire } from 'lwc';
import { getFieldValue, getRecord } from 'lightning/uiRecordApi';
import SEVERITY from '@salesforce/schema/Case.Severity__c';

const TONES = { Critical: 'slds-theme_error', High: 'slds-theme_warning' };

export default class CaseSeverityBadge extends LightningElement {
    @api recordId;
    severity;

    @wire(getRecord, { recordId: '$recordId', fields: [SEVERITY] })
    receive({ data }) {
        this.severity = data ? getFieldValue(data, SEVERITY) : undefined;
    }

    get label() {
        return this.severity ?? 'Normal';
    }

    get tone() {
        return TONES[this.severity] ?? '';
    }
}

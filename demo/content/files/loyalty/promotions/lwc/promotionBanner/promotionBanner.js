import { LightningElement, wire } from 'lwc';
import today from '@salesforce/apex/PromotionController.today';

export default class PromotionBanner extends LightningElement {
    promotion;

    @wire(today)
    receive({ data }) {
        this.promotion = data?.[0];
    }

    get text() {
        return `${this.promotion.Name}: ${this.promotion.Factor__c} times the points`;
    }
}

import { LightningElement, api } from 'lwc';
import badges from '@salesforce/resourceUrl/LoyaltyBadges';

const GOAL = { Bronze: 500, Silver: 2000, Gold: 2000 };

export default class TierProgress extends LightningElement {
    @api tier = 'Bronze';
    @api points = 0;

    get badge() {
        return `${badges}/${this.tier.toLowerCase()}.svg`;
    }

    get percent() {
        return Math.min(100, Math.round((this.points / GOAL[this.tier]) * 100));
    }
}

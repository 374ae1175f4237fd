({
    load: function (component) {
        var action = component.get('c.visitsOf');
        action.setParams({ caseId: component.get('v.recordId') });
        action.setCallback(this, function (response) {
            if (response.getState() === 'SUCCESS') {
                component.set('v.visits', response.getReturnValue());
            } else {
                component.set('v.problem', 'The visits could not be read.');
            }
        });
        $A.enqueueAction(action);
    }
});

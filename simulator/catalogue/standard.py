"""What every org has from birth: standard objects, fields on all of them, tabs, profiles.

Only names are known here. A reference to a standard field that is not listed is taken as existing
(with a note in the simulator's own log), because the whole list differs by edition and licence.
"""

_OBJECTS = """
Account AccountContactRelation AccountContactRole AccountPartner AccountTeamMember ActionPlan Activity
ActivityHistory AgentWork AppMenuItem Approval Article Asset AssetRelationship AssignedResource
AssociatedLocation Attachment AuthSession BusinessHours BusinessProcess Campaign CampaignMember Case
CaseArticle CaseClose CaseComment CaseContactRole CaseHistory CaseMilestone CaseTeamMember CollaborationGroup
CollaborationGroupMember CombinedAttachment Contact ContactPointAddress ContactPointConsent ContactPointEmail
ContactPointPhone ContactRequest ContentAsset ContentDocument ContentDocumentLink ContentFolder ContentNote
ContentVersion ContentWorkspace Contract ContractContactRole ContractLineItem CronTrigger Customer Dashboard
DashboardComponent DataUsePurpose DelegatedAccount Document DocumentChecklistItem Domain DomainSite
DuplicateRecordItem DuplicateRecordSet EmailMessage EmailMessageRelation EmailTemplate Employee Entitlement
EntitlementContact EntityHistory EntityMilestone Event EventRelation ExternalDataUserAuth FeedComment FeedItem
FeedPost Folder Global GoalLink Group GroupMember Holiday Idea Image Individual InternalOrganizationUnit
Invoice JobProfile KnowledgeArticle Lead LeadHistory LinkedArticle ListEmail LiveAgentSession
LiveChatTranscript LiveChatVisitor LiveChatVisitorSession Location Macro MacroInstruction Message
MessagingEndUser MessagingSession MilestoneType Name NetworkMember Note NoteAndAttachment Opportunity
OpportunityCompetitor OpportunityContactRole OpportunityFieldHistory OpportunityHistory OpportunityLineItem
OpportunityLineItemSchedule OpportunityPartner OpportunitySplit OpportunityStage OpportunityTeamMember Order
OrderItem Organization OrgWideEmailAddress Partner PartnerRole PermissionSet PermissionSetAssignment
PersonAccount Pricebook2 PricebookEntry ProcessException ProcessInstance ProcessInstanceStep
ProcessInstanceWorkitem Product2 ProductConsumed ProductItem ProductRequest ProductRequestLineItem
ProductRequired ProductTransfer Profile ProfileSkill Queue QueueSobject QuickText QuickTextUsage Quote
QuoteDocument QuoteLineItem RecordAction RecordType Report ReportFolder ResourceAbsence ResourcePreference
ReturnOrder ReturnOrderLineItem Scorecard SelfServiceUser ServiceAppointment ServiceContract ServiceCrew
ServiceCrewMember ServicePresenceStatus ServiceReport ServiceResource ServiceResourceSkill ServiceTerritory
ServiceTerritoryLocation ServiceTerritoryMember Shift Shipment Site SkillRequirement Skill SocialPersona
SocialPost Solution StaticResource Survey SurveyInvitation SurveyQuestion SurveyResponse SurveySubject Task
Territory2 Territory2Model Territory2ObjSharingConfig TimeSheet TimeSheetEntry TimeSlot Topic TopicAssignment
User UserLicense UserRole Vote WorkBadge WorkBadgeDefinition WorkCoaching WorkFeedback WorkFeedbackQuestion
WorkFeedbackRequest WorkFeedbackTemplate WorkGoal WorkOrder WorkOrderLineItem WorkPerformanceCycle WorkReward
WorkStep WorkThanks WorkType ApexClass ApexTrigger ApexPage AsyncApexJob AsyncOperationLog BatchApexErrorEvent
FlowInterview FlowOrchestrationInstance PlatformEventUsageMetric SetupEntityAccess SocialPersonaHistory
UserAppMenuCustomization UserPreference UserShare AccountShare ContactShare OpportunityShare CaseShare LeadShare
AccountHistory ContactHistory Period FiscalYearSettings CurrencyType DatedConversionRate
"""
STANDARD_OBJECTS = frozenset(name.lower() for name in _OBJECTS.split())
CANONICAL_OBJECTS = {name.lower(): name for name in _OBJECTS.split()}
CUSTOM_SUFFIXES = ("__c", "__mdt", "__e", "__b", "__x", "__kav", "__ka", "__voteup", "__dlm", "__dll")
STANDARD_PROFILES = (
    "Admin", "Standard", "ReadOnly", "SolutionManager", "MarketingProfile", "ContractManager",
    "Minimum Access - Salesforce", "Guest License User",
)  # fmt: skip
STANDARD_TYPES_OF_APEX = frozenset({"system", "database", "schema", "test", "apexpages"})


def is_custom(name: str) -> bool:
    """Say whether an API name has one of the suffixes that only custom things have."""
    return name.lower().endswith(CUSTOM_SUFFIXES)


def has_namespace(name: str) -> bool:
    """Say whether a custom name belongs to a managed package (ns__Name__c)."""
    return is_custom(name) and name.count("__") > 1

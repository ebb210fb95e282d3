# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the words that policies are made of.

MinIO's are those of its policy package v3.1.3, which the catalogue's server is built with; it
refuses a policy with any other. Amazon's further ones are for buckets on other engines.
"""

from __future__ import annotations


def _names(text: str, prefix: str = "") -> frozenset[str]:
    return frozenset(f"{prefix}{name}" for name in text.split())


OBJECT_ACTIONS = _names(
    """
    AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectTagging
    DeleteObjectVersion DeleteObjectVersionTagging GetObject GetObjectAttributes GetObjectLegalHold
    GetObjectRetention GetObjectTagging GetObjectVersion GetObjectVersionAttributes
    GetObjectVersionForReplication GetObjectVersionTagging ListMultipartUploadParts PutObject
    PutObjectFanOut PutObjectLegalHold PutObjectRetention PutObjectTagging PutObjectVersionTagging
    ReplicateDelete ReplicateObject ReplicateTags ResetBucketReplicationState RestoreObject
    """,
    "s3:",
)
BUCKET_ACTIONS = _names(
    """
    CreateBucket DeleteBucket DeleteBucketCors DeleteBucketPolicy ForceDeleteBucket GetBucketCors
    GetBucketLocation GetBucketNotification GetBucketObjectLockConfiguration GetBucketPolicy
    GetBucketPolicyStatus GetBucketTagging GetBucketVersioning GetEncryptionConfiguration
    GetLifecycleConfiguration GetReplicationConfiguration HeadBucket ListAllMyBuckets ListBucket
    ListBucketMultipartUploads ListBucketVersions ListenBucketNotification ListenNotification
    PutBucketCors PutBucketNotification PutBucketObjectLockConfiguration PutBucketPolicy
    PutBucketTagging PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration
    PutReplicationConfiguration
    """,
    "s3:",
)
ADMIN_ACTIONS = _names(
    """
    AddUserToGroup AttachUserOrGroupPolicy BandwidthMonitor CancelBatchJob ClusterInfo ConfigUpdate
    ConsoleLog CreatePolicy CreateServiceAccount CreateUser DataUsageInfo Decommission DeletePolicy
    DeleteUser DescribeBatchJob DisableGroup DisableUser DriveInfo EnableGroup EnableUser
    ExportBucketMetadata ExportIAM ForceUnlock GenerateBatchJob GetBucketQuota GetBucketTarget
    GetGroup GetPolicy GetUser Heal ImportBucketMetadata ImportIAM InspectData KMSCreateKey
    KMSKeyStatus LicenseInfo ListBatchJobs ListGroups ListServiceAccounts ListTemporaryAccounts
    ListTier ListUserPolicies ListUsers OBDInfo PoolInfo PoolList Profiling Prometheus Rebalance
    RemoveServiceAccount RemoveUserFromGroup ReplicationDiff ServerInfo ServerTrace ServerUpdate
    ServiceFreeze ServiceRestart ServiceStop SetBucketQuota SetBucketTarget SetInfo SetTier
    SiteReplicationAdd SiteReplicationDisable SiteReplicationInfo SiteReplicationOperation
    SiteReplicationRemove SiteReplicationResync StartBatchJob StorageInfo TopLocksInfo
    UpdatePolicyAssociation UpdateServiceAccount
    """,
    "admin:",
)
KMS_ACTIONS = _names(
    """
    API AssignPolicy AuditLog CreateKey DeleteIdentity DeleteKey DeletePolicy DescribeIdentity
    DescribePolicy DescribeSelfIdentity ErrorLog GetPolicy ImportKey KeyStatus ListIdentities
    ListKeys ListPolicies Metrics SetPolicy Status Version
    """,
    "kms:",
)
STS_ACTIONS = frozenset({"sts:AssumeRoleWithWebIdentity"})
AMAZON_OBJECT_ACTIONS = _names(
    """
    GetObjectAcl GetObjectTorrent GetObjectVersionAcl GetObjectVersionTorrent InitiateReplication
    ObjectOwnerOverrideToBucketOwner PutObjectAcl PutObjectVersionAcl
    """,
    "s3:",
)
AMAZON_BUCKET_ACTIONS = _names(
    """
    DeleteBucketWebsite GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAcl
    GetBucketCORS GetBucketLogging GetBucketOwnershipControls GetBucketPublicAccessBlock
    GetBucketRequestPayment GetBucketWebsite GetIntelligentTieringConfiguration
    GetInventoryConfiguration GetMetricsConfiguration PutAccelerateConfiguration
    PutAnalyticsConfiguration PutBucketAcl PutBucketCORS PutBucketLogging
    PutBucketOwnershipControls PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketWebsite
    PutIntelligentTieringConfiguration PutInventoryConfiguration PutMetricsConfiguration
    """,
    "s3:",
)
CONDITION_KEYS = _names(
    """
    aws:CurrentTime aws:EpochTime aws:Referer aws:SecureTransport aws:SourceIp aws:UserAgent
    aws:groups aws:principaltype aws:userid aws:username jwt:address jwt:aud jwt:birthdate
    jwt:client_id jwt:email jwt:family_name jwt:gender jwt:given_name jwt:groups jwt:iss jwt:jti
    jwt:middle_name jwt:name jwt:nickname jwt:phone_number jwt:picture jwt:preferred_username
    jwt:profile jwt:scope jwt:sub jwt:upn jwt:website ldap:groups ldap:user ldap:username
    s3:ExistingObjectTag s3:LocationConstraint s3:RequestObjectTag s3:RequestObjectTagKeys
    s3:authType s3:delimiter s3:max-keys s3:object-lock-legal-hold s3:object-lock-mode
    s3:object-lock-remaining-retention-days s3:object-lock-retain-until-date s3:prefix
    s3:signatureAge s3:signatureversion s3:versionid s3:x-amz-content-sha256 s3:x-amz-copy-source
    s3:x-amz-metadata-directive s3:x-amz-server-side-encryption
    s3:x-amz-server-side-encryption-aws-kms-key-id
    s3:x-amz-server-side-encryption-customer-algorithm s3:x-amz-storage-class sts:DurationSeconds
    svc:DurationSeconds
    """,
)
AMAZON_CONDITION_KEYS = _names(
    """
    aws:PrincipalAccount aws:PrincipalArn aws:PrincipalOrgID aws:PrincipalOrgPaths
    aws:SourceAccount aws:SourceArn aws:SourceOrgID aws:SourceVpc aws:SourceVpce aws:ViaAWSService
    aws:VpcSourceIp s3:DataAccessPointAccount s3:DataAccessPointArn s3:ResourceAccount
    s3:TlsVersion s3:x-amz-acl s3:x-amz-grant-full-control
    """,
)
OPERATORS = _names(
    """
    BinaryEquals Bool DateEquals DateGreaterThan DateGreaterThanEquals DateLessThan
    DateLessThanEquals DateNotEquals IpAddress NotIpAddress Null NumericEquals NumericGreaterThan
    NumericGreaterThanEquals NumericGreaterThanIfExists NumericLessThan NumericLessThanEquals
    NumericNotEquals StringEquals StringEqualsIgnoreCase StringLike StringNotEquals
    StringNotEqualsIgnoreCase StringNotLike
    """,
)
AMAZON_OPERATORS = _names(
    """
    ArnEquals ArnLike ArnNotEquals ArnNotLike
    """,
)

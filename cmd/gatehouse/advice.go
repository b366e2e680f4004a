package main

import "strings"

// advice says what to do about a login that was refused for a reason that has
// these words in it.
type advice struct{ words, next string }

// advised is asked from the top: what is said of one case stands before what is
// said of all of its kind. The words are those of the gateway and of package
// iamtoken; a test holds the two together.
var advised = []advice{
	{"session has expired", "Let the client renew its AWS credentials before it signs: a token dies with the session that signed it."},
	{"the session that signed the token expired", "Let the client renew its AWS credentials before it signs: a token dies with the session that signed it."},
	{"in the future", "Set the client's clock (NTP), and this machine's."},
	{"expired", "Make a new token for every connection; one is good for 15 minutes. If the client does, compare its clock with this one."},
	{"the name must be in lower case", "Sign for the cache's name in lower case."},
	{"must be in lower case", "Sign with the user id in lower case."},
	{"the scheme must be cut off", "Cut http:// or https:// off the signed address; the rest is the token."},
	{"signed for the endpoint", "Sign for the cache's name (the replication group id or the serverless cache's name), not for its endpoint."},
	{"signed for cache", "Make a token for each cache: it is good only for the cache whose name was signed."},
	{"ResourceType is missing", "Sign with ResourceType=ServerlessCache: `gatehouse token --serverless`, or the serverless setting of the client's library."},
	{"leave ResourceType out", "Sign without ResourceType: leave out --serverless, or the serverless setting of the client's library."},
	{"signed for user", "Sign with the user id that AUTH or HELLO names; of an IAM user, id and name are the same."},
	{"signed for region", "Sign for the cache's own region."},
	{"signed for service", "Sign for the service name elasticache, also for a serverless cache."},
	{"X-Amz-Security-Token is", "Sign with the access key, secret and session token of one and the same session."},
	{"session token is not valid", "Get new credentials: the session is not from here, was changed, or its role or user is gone."},
	{"no IAM token but some other password", "This user logs in with IAM: send what `gatehouse token` prints as the password, or log in as a user with a password."},
	{"the signature is wrong", "Sign with the secret that belongs to this access key, and send the token unchanged: not decoded, cut off or quoted."},
	{"the access key does not exist", "Use an access key of this account; the one in the token is unknown or was deleted."},
	{"the access key is inactive", "Activate the access key (aws iam update-access-key --status Active), or sign with another."},
	{"root, which does not log in", "Sign as an IAM user or a role; root does not log in to caches."},
	{"elasticache:Connect", "Allow elasticache:Connect on the ARN of the cache and on the ARN of the user, and remove the statement that denies it, if one is named."},
	{"control plane cannot be asked", "Start the control plane, or restore the way to it: this gateway does not know the signer yet."},
	{"is given twice", "Make the token with `gatehouse token`, pkg/cacheauth or AWS's own signer; its parameters were put together wrongly."},
	{"X-Amz-", "Make the token with `gatehouse token`, pkg/cacheauth or AWS's own presigner; a parameter is missing or not as signed."},
	{"the token", "Make the token with `gatehouse token`, pkg/cacheauth or AWS's own presigner."},
	{"Action is", "Sign with Action=connect."},
	{"User is", "Sign with the user id that AUTH or HELLO names."},
	{"IAM logins are not configured", "Let this gateway talk to a control plane that has identities."},
	{"no such user at this cache", "Check the user's name, and that the user is in a user group of the cache. The name may be a mistyped password: it is shown in part."},
	{"the user is disabled", "Enable the user: aws elasticache modify-user --user-id … --append-access-string on"},
	{"the password is wrong", "Compare the client's password with the user's; if it was rotated, let the client read the new one."},
	{"the AUTH token is wrong", "Compare the client's token with the cache's; if it was rotated, let the client read the new one."},
	{"ticket", "Ask for a new ticket: one is good for one login within a short time."},
	{"is gone", "The cache or node was deleted: look for its endpoint anew."},
}

// whatNext is what to do about a reason; "" when nothing is known.
func whatNext(reason string) string {
	for _, a := range advised {
		if strings.Contains(reason, a.words) {
			return a.next
		}
	}
	return ""
}

package users

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// UserDescription is a user as the API shows it, without anything secret.
type UserDescription struct {
	ID                   string
	Name                 string
	Status               identity.Status
	Engine               identity.Engine
	MinimumEngineVersion string
	AccessString         string
	GroupIDs             []string // sorted, never nil
	Auth                 identity.AuthType
	PasswordCount        int // 0 unless Auth is identity.AuthPassword
	ARN                  string
}

// GroupDescription is a user group as the API shows it.
type GroupDescription struct {
	ID                   string
	Status               identity.Status
	Engine               identity.Engine
	MinimumEngineVersion string
	UserIDs              []string        // in force; sorted, never nil
	Pending              *PendingChanges // nil when nothing is pending
	ReplicationGroups    []string        // ids of the caches that have it; sorted, never nil
	ARN                  string
}

// PendingChanges is what UserIDs does not show yet.
type PendingChanges struct{ Add, Remove []string }

// Filter selects users by one property; one of the values must be equal to it.
type Filter struct {
	Name   string
	Values []string
}

// DescribeUsersInput is a DescribeUsers request. A nil field was not given;
// what is given must all hold.
type DescribeUsersInput struct {
	ID      *string
	Engine  *string
	Filters []Filter
}

// DescribeUsers returns the users that were asked for, by id. An id that does
// not exist is identity.UserNotFound, a filter that is not known
// identity.InvalidParameterValue.
func (s *Service) DescribeUsers(in DescribeUsersInput) ([]UserDescription, error) {
	view := s.state.View()
	found := state.Sorted(view.Users)
	if in.ID != nil {
		user, err := findUser(view, *in.ID)
		if err != nil {
			return nil, err
		}
		found = []*identity.User{user}
	}
	filters := in.Filters
	if in.Engine != nil {
		engine, err := naming.Engine(*in.Engine)
		if err != nil {
			return nil, err
		}
		filters = append(slices.Clone(filters), Filter{Name: "Engine", Values: []string{string(engine)}})
	}
	if err := checkFilters(filters); err != nil {
		return nil, err
	}
	groups := groupsByUser(view)
	described := make([]UserDescription, 0, len(found))
	for _, user := range found {
		d := s.describe(user, groups[user.ID])
		if !slices.ContainsFunc(filters, func(f Filter) bool { return !f.matches(&d) }) {
			described = append(described, d)
		}
	}
	return described, nil
}

// filterable are the properties that users can be filtered by. The API's own
// list is not published; its one example is UserId.
var filterable = []string{"UserId", "UserName", "Engine", "Status", "UserGroupId"}

func checkFilters(filters []Filter) error {
	for _, filter := range filters {
		if !slices.Contains(filterable, filter.Name) {
			return identity.Errorf(identity.InvalidParameterValue,
				"Unknown filter name %s. Valid names are: %s.", naming.Shorten(filter.Name), strings.Join(filterable, ", "))
		}
		if len(filter.Values) == 0 {
			return identity.Errorf(identity.InvalidParameterValue, "Filter %s has no values.", filter.Name)
		}
	}
	return nil
}

func (f *Filter) matches(user *UserDescription) bool {
	switch f.Name {
	case "UserName":
		return slices.Contains(f.Values, user.Name) // case counts in user names
	case "UserGroupId":
		return slices.ContainsFunc(user.GroupIDs, f.hasValue)
	case "UserId":
		return f.hasValue(user.ID)
	case "Engine":
		return f.hasValue(string(user.Engine))
	default:
		return f.hasValue(string(user.Status))
	}
}

func (f *Filter) hasValue(value string) bool {
	return slices.ContainsFunc(f.Values, func(v string) bool { return strings.EqualFold(v, value) })
}

// DescribeUserGroups returns the group with that id, or all groups by id when
// it is nil. An id that does not exist is identity.UserGroupNotFound.
func (s *Service) DescribeUserGroups(id *string) ([]GroupDescription, error) {
	view := s.state.View()
	found := state.Sorted(view.UserGroups)
	if id != nil {
		group, err := findGroup(view, *id)
		if err != nil {
			return nil, err
		}
		found = []*identity.UserGroup{group}
	}
	described := make([]GroupDescription, 0, len(found))
	for _, group := range found {
		described = append(described, s.describeGroup(view, group))
	}
	return described, nil
}

func (s *Service) describeUser(view *state.View, user *identity.User) UserDescription {
	return s.describe(user, groupsByUser(view)[user.ID])
}

func (s *Service) describe(user *identity.User, groups []string) UserDescription {
	if groups == nil {
		groups = []string{}
	}
	d := UserDescription{
		ID: user.ID, Name: user.Name, Status: user.Status, Engine: user.Engine,
		MinimumEngineVersion: minimumVersion(user.Engine),
		AccessString:         user.AccessString,
		GroupIDs:             groups,
		Auth:                 user.Auth,
		ARN:                  s.account.ARN(naming.User, user.ID),
	}
	if user.Auth == identity.AuthPassword {
		d.PasswordCount = len(user.Passwords)
	}
	return d
}

func (s *Service) describeGroup(view *state.View, group *identity.UserGroup) GroupDescription {
	d := GroupDescription{
		ID: group.ID, Status: group.Status, Engine: group.Engine,
		MinimumEngineVersion: minimumVersion(group.Engine),
		UserIDs:              make([]string, 0, len(group.Members)),
		ReplicationGroups:    []string{},
		ARN:                  s.account.ARN(naming.UserGroup, group.ID),
	}
	for _, member := range group.Members {
		d.UserIDs = append(d.UserIDs, member.UserID)
	}
	slices.Sort(d.UserIDs)
	if added, removed := difference(group.Members, Membership(group)); len(added)+len(removed) > 0 {
		d.Pending = &PendingChanges{Add: added, Remove: removed}
	}
	for _, cache := range cachesOf(view, group.ID) {
		if cache.Access.GroupID == group.ID {
			d.ReplicationGroups = append(d.ReplicationGroups, cache.ID)
		}
	}
	return d
}

// groupsByUser returns, by user id, the sorted ids of the groups that have the
// user as a member in force.
func groupsByUser(view *state.View) map[string][]string {
	groups := map[string][]string{}
	for _, group := range state.Sorted(view.UserGroups) {
		for _, member := range group.Members {
			groups[member.UserID] = append(groups[member.UserID], group.ID)
		}
	}
	return groups
}

// minimumVersion is the engine version that RBAC of that engine needs
// (6.0: seen in AWS's answers for redis; 7.2: the first Valkey that ElastiCache
// offered, its users guide's minimum for RBAC).
func minimumVersion(engine identity.Engine) string {
	if engine == identity.Valkey {
		return "7.2"
	}
	return "6.0"
}

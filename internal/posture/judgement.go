package posture

import "strings"

func pass(reason string, notes ...string) Judgement {
	return Judgement{Verdict: Pass, Reason: reason, Notes: notes}
}

func notApplicable(reason string) Judgement {
	return Judgement{Verdict: NotApplicable, Reason: reason}
}

// silent is for Gatehouse's own checks: a resource that the check is not about
// gets no finding at all.
func silent() Judgement { return Judgement{} }

func fail(reason, next string, notes ...string) Judgement {
	return Judgement{Verdict: Fail, Reason: reason, Next: next, Notes: notes}
}

// failEffective is a failure that AWS's own controls do not show.
func failEffective(reason, next string, notes ...string) Judgement {
	return Judgement{Verdict: FailEffective, Reason: reason, Next: next, Notes: notes}
}

// undecided says which of the values that matter are unknown. Values that are
// not unknown are left out, so a rule may pass all that it would need.
func undecided(named ...Named) Judgement {
	var reasons, needs []string
	for _, each := range named {
		if !each.Value.IsUnknown() {
			continue
		}
		reasons = append(reasons, string(each.Name)+" is unknown: "+each.Value.Reason())
		if each.Value.Needs() != "" {
			needs = append(needs, each.Value.Needs())
		}
	}
	return Judgement{Verdict: Undecided, Reason: strings.Join(reasons, "; "), Needs: strings.Join(needs, "; ")}
}

// Named is an attribute with its value, for messages.
type Named struct {
	Name  Attribute
	Value Value
}

func (j Judgement) requires(prerequisites ...string) Judgement {
	j.Prerequisites = append(j.Prerequisites, prerequisites...)
	return j
}

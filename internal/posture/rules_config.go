package posture

// configEvaluates is Gatehouse.9: a control that AWS Config does not evaluate in
// a region is silent there, which a dashboard shows as nothing to do.
func configEvaluates(r *Reader) Judgement {
	control := r.Resource().Name
	offered, recorder, recorded, present := r.Read(RuleOffered), r.Read(RecorderRunning), r.Read(TypeRecorded), r.Read(RulePresent)
	switch {
	case offered.False():
		return notApplicable("AWS does not offer the rule of " + control + " in this region; this audit judged it all the same")
	case recorder.False():
		return failEffective("AWS Config's recorder is off: no Security Hub control is evaluated in this region", "aws configservice start-configuration-recorder --configuration-recorder-name default")
	case recorded.False():
		return failEffective("AWS Config does not record the resource type of "+control, "add the resource type to the configuration recorder's recording group")
	case present.False():
		return failEffective("AWS Config has no active rule for "+control, "enable the control's standard in Security Hub, or the rule in AWS Config")
	case recorder.IsUnknown() || recorded.IsUnknown() || present.IsUnknown():
		return undecided(Named{RecorderRunning, recorder}, Named{TypeRecorded, recorded}, Named{RulePresent, present})
	}
	return pass("AWS Config records and evaluates " + control)
}

package cloudwatch

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/gatehouse/gatehouse/internal/meter/alarm"
)

func (a *API) describeAlarmHistory(_ context.Context, in *sdk.DescribeAlarmHistoryInput) (*sdk.DescribeAlarmHistoryOutput, error) {
	at, err := position("DescribeAlarmHistory", in.NextToken)
	if err != nil {
		return nil, err
	}
	skip := 0
	if at != "" {
		if skip, err = strconv.Atoi(at); err != nil || skip < 0 {
			return nil, fault("InvalidNextToken", 400, "The NextToken is not one of an earlier answer to the same operation.")
		}
	}
	limit := alarmPage
	if in.MaxRecords != nil {
		limit = int(*in.MaxRecords)
	}
	items := a.history(in)
	out := &sdk.DescribeAlarmHistoryOutput{AlarmHistoryItems: items[min(skip, len(items)):]}
	if len(out.AlarmHistoryItems) > limit {
		out.AlarmHistoryItems = out.AlarmHistoryItems[:limit]
		out.NextToken = token("DescribeAlarmHistory", strconv.Itoa(skip+limit))
	}
	return out, nil
}

// history is what a request asks for, the newest first unless it says otherwise.
func (a *API) history(in *sdk.DescribeAlarmHistoryInput) []types.AlarmHistoryItem {
	items := []types.AlarmHistoryItem{}
	for _, s := range a.Alarms.List() {
		if in.AlarmName != nil && *in.AlarmName != s.Name {
			continue
		}
		for _, item := range s.History {
			if asked(in, &item) {
				items = append(items, types.AlarmHistoryItem{
					AlarmName: &s.Name, AlarmType: types.AlarmTypeMetricAlarm, Timestamp: &item.Time,
					HistoryItemType: types.HistoryItemType(item.Kind), HistorySummary: &item.Summary, HistoryData: &item.Data,
				})
			}
		}
	}
	slices.SortStableFunc(items, func(x, y types.AlarmHistoryItem) int {
		return cmp.Or(x.Timestamp.Compare(*y.Timestamp), cmp.Compare(*x.AlarmName, *y.AlarmName))
	})
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(items)
	}
	return items
}

func asked(in *sdk.DescribeAlarmHistoryInput, item *alarm.Item) bool {
	switch {
	case in.HistoryItemType != "" && string(in.HistoryItemType) != item.Kind,
		in.StartDate != nil && item.Time.Before(*in.StartDate),
		in.EndDate != nil && item.Time.After(*in.EndDate),
		len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm):
		return false
	}
	return true
}

package awsapi

import (
	"reflect"
)

// conditions are the condition keys of a request: the service's own, and those
// of tags (IAM User Guide, "Controlling access during AWS requests").
func (s *Service) conditions(in any) map[string][]string {
	keys := map[string][]string{}
	if s.Conditions != nil {
		for key, values := range s.Conditions(in) {
			keys[key] = values
		}
	}
	root := reflect.ValueOf(in).Elem()
	var names []string
	for key, value := range tagsIn(root) {
		keys["aws:RequestTag/"+key] = []string{value}
		names = append(names, key)
	}
	if list := root.FieldByName("TagKeys"); list.IsValid() {
		names = append(names, list.Interface().([]string)...)
	}
	if len(names) > 0 {
		keys["aws:TagKeys"] = names
	}
	return keys
}

// tagsIn reads the member Tags, which all services that have it spell alike: a
// list of structures with Key and Value.
func tagsIn(in reflect.Value) map[string]string {
	list := in.FieldByName("Tags")
	if !list.IsValid() || list.Kind() != reflect.Slice {
		return nil
	}
	tags := map[string]string{}
	for i := range list.Len() {
		key, _ := list.Index(i).FieldByName("Key").Interface().(*string)
		value, _ := list.Index(i).FieldByName("Value").Interface().(*string)
		if key == nil {
			continue // the model's check refuses it
		}
		tags[*key] = ""
		if value != nil {
			tags[*key] = *value
		}
	}
	return tags
}

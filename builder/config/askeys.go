package config

import "go.yaml.in/yaml/v3"

// asKeys reports how a list is written that has to be a mapping with labels as its keys. It
// is empty, or a sentence that begins with a blank.
func asKeys(block string, list *yaml.Node) string {
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return ""
	}
	first := Unaliased(list.Content[0])
	if first.Kind == yaml.ScalarNode {
		if block == "features" {
			return " Write include: [" + first.Value + "] below it."
		}
		return " Write each as a key: " + first.Value + ": {}"
	}
	for i := 0; i+1 < len(first.Content); i += 2 {
		if key, value := first.Content[i], Unaliased(first.Content[i+1]); key.Value == "name" && value.Kind == yaml.ScalarNode {
			return " Write the name as the key: " + value.Value + ": in place of - name: " + value.Value
		}
	}
	return ""
}

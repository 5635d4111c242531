package fakeslack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"unconnected/alerter/slack/fakeslack"
)

// object is JSON in the making.
type object map[string]any

func plain(n int) object { return object{"type": "plain_text", "text": strings.Repeat("x", n)} }

func button(with object) object {
	b := object{"type": "button", "action_id": "a", "text": plain(1)}
	for key, value := range with {
		b[key] = value
	}
	return b
}

func options(n int) []object {
	var all []object
	for i := range n {
		all = append(all, object{"text": plain(1), "value": fmt.Sprint(i)})
	}
	return all
}

func menu(kind string, n int) object {
	return object{"type": kind, "action_id": "a", "options": options(n)}
}

func actions(elements ...object) []object { return []object{{"type": "actions", "elements": elements}} }

func accessory(e object) []object {
	return []object{{"type": "section", "text": plain(1), "accessory": e}}
}

func TestElements(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	one := object{"text": plain(1), "value": "1"}
	question := func(title, text int) object {
		return object{"confirm": object{"title": plain(title), "text": plain(text), "confirm": plain(30), "deny": plain(30)}}
	}
	group := func(n int) object {
		return object{"type": "static_select", "option_groups": []object{{"label": plain(n), "options": options(1)}}}
	}
	cases := []struct {
		name   string
		blocks []object
		fits   bool
	}{
		{"a button", actions(button(nil)), true},
		{"a button without an id", actions(button(object{"action_id": ""})), true},
		{"a long id", actions(button(object{"action_id": x(255)})), true},
		{"too long an id", actions(button(object{"action_id": x(256)})), false},
		{"a long label", actions(button(object{"text": plain(75)})), true},
		{"too long a label", actions(button(object{"text": plain(76)})), false},
		{"no label", actions(object{"type": "button", "action_id": "a"}), false},
		{"a label in mrkdwn", actions(button(object{"text": object{"type": "mrkdwn", "text": "x"}})), false},
		{"a long value", actions(button(object{"value": x(2000)})), true},
		{"too long a value", actions(button(object{"value": x(2001)})), false},
		{"an address", actions(button(object{"url": "https://example.com/"})), true},
		{"an address that is none", actions(button(object{"url": "example"})), false},
		{"too long an address", actions(button(object{"url": "https://example.com/" + x(3000)})), false},
		{"a style", actions(button(object{"style": "primary"})), true},
		{"a style of one's own", actions(button(object{"style": "purple"})), false},
		{"a question", actions(button(question(100, 300))), true},
		{"a long question", actions(button(question(100, 301))), false},
		{"a question with a long title", actions(button(question(101, 300))), false},
		{"one id twice", actions(button(nil), button(nil)), false},
		{"one id in two blocks", append(actions(button(nil)), accessory(button(nil))...), false},
		{"a block's id twice", []object{{"type": "divider", "block_id": "b"}, {"type": "divider", "block_id": "b"}}, false},
		{"25 elements", actions(buttons(25)...), true},
		{"26 elements", actions(buttons(26)...), false},
		{"an element of no kind", actions(object{"type": "lever"}), false},
		{"a date", actions(object{"type": "datepicker", "action_id": "a"}), true},
		{"a select", actions(menu("static_select", 100)), true},
		{"too many options", actions(menu("static_select", 101)), false},
		{"no options", actions(menu("static_select", 0)), false},
		{"an overflow menu", accessory(menu("overflow", 5)), true},
		{"a long overflow menu", accessory(menu("overflow", 6)), false},
		{"groups of options", actions(group(75)), true},
		{"a long name of a group", actions(group(76)), false},
		{"a long option", actions(object{"type": "static_select", "options": []object{{"text": plain(75), "value": x(150)}}}), true},
		{"too long an option", actions(object{"type": "static_select", "options": []object{{"text": plain(76), "value": "1"}}}), false},
		{"too long a value of an option", actions(object{"type": "static_select", "options": []object{{"text": plain(1), "value": x(151)}}}), false},
		{"an option without a value", actions(object{"type": "static_select", "options": []object{{"text": plain(1)}}}), false},
		{"a placeholder that is too long", actions(object{"type": "static_select", "placeholder": plain(151), "options": []object{one}}), false},
		{"an address in an overflow menu", accessory(object{"type": "overflow", "options": []object{{"text": plain(1), "value": "1", "url": "https://example.com/"}}}), true},
		{"an address in a select", actions(object{"type": "static_select", "options": []object{{"text": plain(1), "value": "1", "url": "https://example.com/"}}}), false},
	}
	w := start(t, fakeslack.Options{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			blocks, err := json.Marshal(c.blocks)
			if err != nil {
				t.Fatal(err)
			}
			answer := w.call("chat.postMessage", "channel", "noc", "text", "x", "blocks", string(blocks))
			if ok := answer["ok"] == true; ok != c.fits || !ok && answer["error"] != "invalid_blocks" {
				t.Errorf("the answer is %v, want ok: %t", answer, c.fits)
			}
		})
	}
}

func buttons(n int) []object {
	var all []object
	for i := range n {
		all = append(all, button(object{"action_id": fmt.Sprint("a", i)}))
	}
	return all
}

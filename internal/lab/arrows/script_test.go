package arrows

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"distsys/internal/lab/record"
)

// play makes events of a script. Each line is a time in milliseconds, a
// process, and what happens to it:
//
//	0 1 start pipeline/worker -work 1s fast
//	5 1 received order 0 of 1 worth 3   it prints that, with its label
//	5 1 = hello!                        it prints that, without
//	5 1 ! failed                        likewise, on standard error
//	9 1 kill
//	9 1 end -1                          its status
//
// $B is the flag that names the broker. Who is no number is no process.
func play(t *testing.T, script string) (events []record.Event) {
	t.Helper()
	labels, roles := map[string]string{}, map[string]string{}
	for _, text := range strings.Split(strings.TrimSpace(script), "\n") {
		text = strings.ReplaceAll(strings.TrimSpace(text), "$B", testBroker)
		words := strings.SplitN(text, " ", 3)
		if len(words) < 3 {
			t.Fatalf("%q is not a line of a script", text)
		}
		ms, err := strconv.ParseFloat(words[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		who, what := words[1], words[2]
		number, err := strconv.Atoi(who)
		if err != nil {
			number = 0
			labels[who], roles[who] = who, who
		}
		e := record.Event{Time: time.Duration(ms * float64(time.Millisecond)),
			Process: number}
		verb, rest, _ := strings.Cut(what, " ")
		switch verb {
		case "start":
			program, args, _ := strings.Cut(rest, " ")
			role := program[strings.LastIndex(program, "/")+1:]
			e.Kind, e.Program, e.Role = record.Start, program, role
			e.PID = 100 + number
			e.Label = fmt.Sprintf("%s %d", role, e.PID)
			e.Text = strings.TrimSpace("go run ./" + program + " " + args)
			labels[who], roles[who] = e.Label, role
			_, args2 := readCommand(e.Text)
			if v := vocabularies()[program]; v != nil && v.id && len(args2) > 0 {
				labels[who] = role + " " + args2[0]
			}
		case "kill", "mute", "freeze":
			e.Kind = record.Kind(verb)
		case "end":
			e.Kind = record.End
			e.Status, _ = strconv.Atoi(rest)
		case "=":
			e.Kind, e.Text = record.Print, rest
			e.Label, e.Role = labels[who], roles[who]
		case "!":
			e.Kind, e.Text, e.Stderr = record.Print, rest, true
			e.Label, e.Role = labels[who], roles[who]
		default:
			e.Kind, e.Text = record.Print, labels[who]+": "+what
			e.Label, e.Role = labels[who], roles[who]
		}
		events = append(events, e)
	}
	return events
}

const testBroker = "-broker amqp://guest:guest@127.0.0.1:5000/lab"

// String writes a mark as the tests do.
func (m Mark) String() string {
	ms := func(d time.Duration) string {
		return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f',
			-1, 64)
	}
	text := fmt.Sprintf("%s %s", m.Kind, m.Lane)
	switch m.Kind {
	case Message, Again, Back, Ack:
		text += " > " + m.To
	case Lost:
		if m.To != "" {
			text += " > " + m.To
		}
	}
	text += " " + ms(m.Begin)
	if m.Open {
		text += ".."
	} else if m.End != 0 && m.End != m.Begin {
		text += ".." + ms(m.End)
	}
	if m.Kind == Depth {
		text += fmt.Sprintf(" = %d", m.Count)
	} else if m.Count > 0 {
		text += fmt.Sprintf(" x%d %s..%s", m.Count, ms(m.LastBegin),
			ms(m.LastEnd))
	}
	if m.Label != "" {
		text += ": " + m.Label
	}
	for word, is := range map[string]bool{" (cut)": m.Cut, " (held)": m.Held,
		" (unsure)": m.Unsure} {
		if is {
			text += word
		}
	}
	return text
}

func written(marks []Mark) (texts []string) {
	for _, m := range marks {
		texts = append(texts, m.String())
	}
	return texts
}

// linesOf returns the lines of a text, without those that are empty.
func linesOf(text string) (lines []string) {
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func wantMarks(t *testing.T, got []Mark, want string) {
	t.Helper()
	if !slices.Equal(written(got), linesOf(want)) {
		t.Errorf("marks:\n\t%s\nwant:\n\t%s",
			strings.Join(written(got), "\n\t"),
			strings.Join(linesOf(want), "\n\t"))
	}
}

// live returns the marks of events in the order in which they come.
func live(events []record.Event) []Mark { return New().derive(events) }

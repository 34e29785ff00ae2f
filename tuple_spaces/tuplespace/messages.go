package tuplespace

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of a message. What goes beyond gets an error.
const (
	maxRequest = 1 << 20 // bytes
	maxReply   = 1 << 20 // bytes; a tuple that came in a request fits
	maxValues  = 20_000  // numbers, texts and so on in a request
	maxName    = 100     // bytes of a client's name, or a loan's
	maxTime    = 10 * 365 * 24 * time.Hour
)

// A request is one JSON object in one frame, so that a program in any
// language can send it.
type request struct {
	Op      string              `json:"op"`
	Tuples  [][]json.RawMessage `json:"tuples,omitempty"`
	Pattern []json.RawMessage   `json:"pattern,omitempty"`
	TTL     int64               `json:"ttl_ms,omitempty"`
	Wait    int64               `json:"wait_ms,omitempty"`
	Max     int64               `json:"max,omitempty"`
	Place   uint64              `json:"place,omitempty"` // of an earlier wait
	LoanFor int64               `json:"loan_ms,omitempty"`
	Loan    string              `json:"loan,omitempty"`
	// Client names a REQ socket, Seq numbers its requests. So a request that
	// is repeated, for want of a reply, is answered again, not done again.
	Client string `json:"client,omitempty"`
	Seq    int64  `json:"seq,omitempty"`

	tuples  []*entry // of Tuples
	pattern []field  // of Pattern
}

// parse reads a request. Its errors are meant for the one who sent it.
func parse(text []byte) (r *request, err error) {
	if len(text) > maxRequest {
		return nil, fmt.Errorf("a request has %d bytes at most", maxRequest)
	}
	if !utf8.Valid(text) {
		return nil, errors.New("a request is UTF-8")
	}
	// A comma stands between two values, though it may stand in a text, too.
	if bytes.Count(text, []byte(",")) > maxValues &&
		commas(text) > maxValues {
		return nil, fmt.Errorf("a request has %d values at most", maxValues)
	}
	r = &request{}
	if !r.scan(text) {
		if r, err = decodeRequest(text); err != nil {
			return nil, err
		}
	}
	if min(r.TTL, r.Wait, r.LoanFor, r.Max, r.Seq) < 0 ||
		max(r.TTL, r.Wait, r.LoanFor) > maxTime.Milliseconds() {
		return nil, fmt.Errorf("ttl_ms, wait_ms, loan_ms, max and seq are 0 "+
			"or more, and times %d at most", maxTime.Milliseconds())
	}
	if len(r.Client) > maxName {
		return nil, fmt.Errorf("client has %d bytes at most", maxName)
	}
	if len(r.Loan) > maxName || strings.ContainsFunc(r.Loan, unicode.IsControl) {
		return nil, fmt.Errorf("loan has %d bytes at most, and no control "+
			"characters", maxName)
	}
	r.tuples = make([]*entry, len(r.Tuples))
	for i, values := range r.Tuples {
		if r.tuples[i], err = newEntry(values); err != nil {
			return nil, fmt.Errorf("tuple %d: %w", i, err)
		}
	}
	switch r.Op {
	case "write":
		if len(r.tuples) == 0 {
			return nil, errors.New("there are no tuples to write")
		}
	case "read", "take":
		if r.LoanFor > 0 && r.Op == "read" {
			return nil, errors.New("only a take can be on loan")
		}
		r.Max = max(r.Max, 1)
		r.pattern, err = newPattern(r.Pattern)
	case "commit", "release":
		if r.Loan == "" {
			return nil, errors.New("there is no loan's name")
		}
	case "cancel":
		if r.Client == "" {
			return nil, errors.New("there is no client's name")
		}
	default:
		return nil, fmt.Errorf("there is no op %.60q; there are write, read, "+
			"take, commit, release, cancel", r.Op)
	}
	return r, err
}

// commas counts those that are not in a string.
func commas(text []byte) (n int) {
	inString, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case c == ',' && !inString:
			n++
		}
	}
	return n
}

func decodeRequest(text []byte) (*request, error) {
	r := &request{}
	err := decode(text, r)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return nil, fmt.Errorf("a %.60s does not belong here: %s", wrong.Value,
			wrong.Field)
	}
	if err != nil {
		return nil, fmt.Errorf("a request is a JSON object: %.200s",
			strings.TrimPrefix(err.Error(), "json: "))
	}
	return r, nil
}

// nameOf makes a client's name of one for the log, such as "worker 4711", and
// a random one.
func nameOf(name, id string) string {
	if name == "" {
		return id
	}
	name = name[:min(len(name), maxName-len(id)-len("/"))]
	return strings.ToValidUTF8(name, "") + "/" + id
}

// name is how the log names the client: the first part of such a name.
func (r *request) name() string {
	name := r.Client[:max(0, strings.LastIndex(r.Client, "/"))]
	if strings.ContainsAny(name, ":[") {
		return "" // it would look like another line
	}
	return name
}

// newLoanName returns a name that nobody can guess: who knows it may commit.
func newLoanName() string { return strings.ToLower(rand.Text()[:16]) }

// A call is a request as our client writes it.
type call struct {
	op              string
	tuples, pattern []byte // as JSON
	ttl, wait       time.Duration
	loanFor         time.Duration
	loan            string
	max, place      uint64
}

// append writes the request. The client's name is JSON already.
func (c *call) append(text []byte, client string, seq int64) []byte {
	text = append(append(text, `{"op":"`...), c.op...)
	text = append(text, '"')
	add := func(key string, value []byte) {
		if len(value) > 0 {
			text = append(append(text, key...), value...)
		}
	}
	number := func(key string, n uint64) {
		if n > 0 {
			text = strconv.AppendUint(append(text, key...), n, 10)
		}
	}
	// At least one millisecond: 0 would be none.
	ms := func(key string, d time.Duration) {
		number(key, uint64((d+time.Millisecond-1)/time.Millisecond))
	}
	add(`,"tuples":`, c.tuples)
	add(`,"pattern":`, c.pattern)
	ms(`,"ttl_ms":`, c.ttl)
	ms(`,"wait_ms":`, c.wait)
	ms(`,"loan_ms":`, c.loanFor)
	number(`,"max":`, c.max)
	number(`,"place":`, c.place)
	if c.loan != "" {
		add(`,"loan":`, []byte(encode(c.loan)))
	}
	text = append(append(text, `,"client":`...), client...)
	number(`,"seq":`, uint64(seq))
	return append(text, '}')
}

// A reply is one JSON object, too.
type reply struct {
	Status string  `json:"status"` // ok, none, expired or error
	Tuples []Tuple `json:"tuples,omitempty"`
	Loan   string  `json:"loan,omitempty"`
	More   bool    `json:"more,omitempty"` // ask again for the rest
	Place  uint64  `json:"place,omitempty"`
	Error  string  `json:"error,omitempty"`
}

const (
	okText      = `{"status":"ok"}`
	expiredText = `{"status":"expired"}`
)

// replyText writes the reply to a read or a take.
func replyText(f *found, place uint64) string {
	if len(f.tuples) == 0 {
		if place == 0 {
			return `{"status":"none"}`
		}
		return fmt.Sprintf(`{"status":"none","place":%d}`, place)
	}
	n := len(`{"status":"ok","tuples":[],"loan":"","more":true}`) + len(f.loan)
	for _, t := range f.tuples {
		n += len(t.text) + len(",")
	}
	var text strings.Builder
	text.Grow(n)
	text.WriteString(`{"status":"ok","tuples":[`)
	for i, t := range f.tuples {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(t.text)
	}
	text.WriteByte(']')
	if f.loan != "" {
		text.WriteString(`,"loan":"` + f.loan + `"`)
	}
	if f.more {
		text.WriteString(`,"more":true`)
	}
	text.WriteByte('}')
	return text.String()
}

// parseReply reads a reply.
func parseReply(text []byte) (*reply, error) {
	r := &reply{}
	if utf8.Valid(text) && r.scan(text) {
		return r, nil
	}
	r = &reply{}
	if err := decode(text, r); err != nil {
		return nil, fmt.Errorf("understand the reply: %w", err)
	}
	for _, tuple := range r.Tuples {
		goValue([]any(tuple))
	}
	return r, nil
}

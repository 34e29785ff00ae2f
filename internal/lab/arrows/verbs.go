package arrows

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A pattern says what the lines of its programs mean. It is all that there is
// to say of a pattern: see tables.go.
type pattern struct {
	folder   string
	programs []program
	verbs    []verb
}

// A program prints lines.
type program struct {
	name string // within the folder of its pattern
	rank rank

	// The flags that its verbs name, and what each is if it is not given. (The
	// broker is not one of them: its programs print where they are connected.)
	flags map[string]string

	id       bool // its first word is its id
	speaksOf bool // its lines begin with the name of a client
	parts    bool // it is several in one, and each line begins with which
}

// A rank is where a program's lane is: high up or low down.
type rank int

const (
	sender rank = iota
	middle      // a broker, or who stands between the others
	worker
	collector
	other
)

// A verb is one kind of line that a program prints, and what it means.
//
// The texts below may have $names in them: fields of the line, or flags of
// the program, its $word, which is the first behind the flags, its $id, its
// $number: in the form in which lines quote them. $name:20 is cut after 20
// characters.
type verb struct {
	by   string // the program
	line string // a regular expression for all that stands behind the label
	does []act

	// A message is known by what the lines of both ends have in common: over
	// what it goes (any word), at which address (of which flag; "" is the
	// broker's), and its key.
	over string
	at   string
	key  string

	label string // what a reader is to see of it
	who   string // another process that the line names: its role and id

	// If a broker keeps the message: in which queue.
	queue string
	limit int  // how often a message goes back to it before it is set aside
	lax   bool // the broker has not confirmed it

	// If there are several who get a copy each: what must fit what they have
	// asked for (binds, by the field $filter), and what that means.
	route string
	fits  func(filter, route string) bool

	// For lines about bytes, rather than messages: how many, and over what
	// they are sent back.
	bytes string
	back  string
}

// An act is what a program has done when it prints a line.
type act struct {
	name string
	do   func(d *Deriver, l *line)
}

// atStart is the line of a verb for what a program does before it prints any.
const atStart = ""

// bare is the line of a verb for a line without a label.
const bare = "bare"

// A compiled verb is found by the first word of a line, and its texts are
// taken apart.
type compiledVerb struct {
	*verb
	pattern              *regexp.Regexp
	overText             template
	keyText, labelText   template
	whoText, queueText   template
	routeText, bytesText template
}

// A vocabulary is all that a program can say.
type vocabulary struct {
	*program
	folder string
	starts []*compiledVerb
	bares  []*compiledVerb
	byWord map[string][]*compiledVerb // the first of the line
	all    []*compiledVerb
}

// verbsFor returns those that may fit a line.
func (v *vocabulary) verbsFor(text string) []*compiledVerb {
	word, _, _ := strings.Cut(text, " ")
	if verbs := v.byWord[word]; verbs != nil {
		return verbs
	}
	return v.byWord[anyWord]
}

const anyWord = ""

// vocabularies are those of all programs, by their folders.
var vocabularies = sync.OnceValue(func() map[string]*vocabulary {
	all := map[string]*vocabulary{}
	for _, pattern := range patterns {
		for _, program := range pattern.programs {
			v := &vocabulary{program: &program,
				folder: path.Join(pattern.folder, program.name),
				byWord: map[string][]*compiledVerb{}}
			for _, verb := range slices.Concat(pattern.verbs, ofAll) {
				if verb.by == program.name || verb.by == "" {
					v.add(compile(&verb))
				}
			}
			all[v.folder] = v
		}
	}
	return all
})

func (v *vocabulary) add(c *compiledVerb) {
	v.all = append(v.all, c)
	switch c.line {
	case atStart:
		v.starts = append(v.starts, c)
	case bare:
		v.bares = append(v.bares, c)
	default:
		for _, word := range firstWords(c.line) {
			v.byWord[word] = append(v.byWord[word], c)
		}
	}
}

var firstWord = regexp.MustCompile(`^(?:\((?:\?:|\?<\w+>)([\w|]+)\)|([\w:]+)) `)

// firstWords returns with which words a line can begin: lines are looked up
// by it, since there are too many to try each verb.
func firstWords(line string) []string {
	words := firstWord.FindStringSubmatch(line)
	if words == nil {
		return []string{anyWord}
	}
	return strings.Split(words[1]+words[2], "|")
}

func compile(v *verb) *compiledVerb {
	c := &compiledVerb{verb: v,
		pattern: regexp.MustCompile(`^(?s:` + v.line + `)$`)}
	t := func(text string) template { return newTemplate(text, c.pattern) }
	c.overText = t(v.over)
	c.keyText, c.labelText = t(v.key), t(v.label)
	c.whoText, c.queueText = t(v.who), t(v.queue)
	c.routeText, c.bytesText = t(v.route), t(v.bytes)
	return c
}

// A template is a text with names in it, taken apart.
type template []piece

type piece struct {
	text  string // as it is
	name  string // or: the value of a name
	group int    // which is this field of the line, or -1
	limit int    // cut after so many characters
}

var nameInText = regexp.MustCompile(`\$([a-z]+)(?::(\d+))?`)

func newTemplate(text string, fields *regexp.Regexp) (t template) {
	for text != "" {
		at := nameInText.FindStringSubmatchIndex(text)
		if at == nil {
			return append(t, piece{text: text})
		}
		if at[0] > 0 {
			t = append(t, piece{text: text[:at[0]]})
		}
		p := piece{name: text[at[2]:at[3]], limit: 60}
		if at[4] >= 0 {
			p.limit, _ = strconv.Atoi(text[at[4]:at[5]])
		}
		p.group = fields.SubexpIndex(p.name)
		t = append(t, p)
		text = text[at[1]:]
	}
	return t
}

// fill returns the text with the values of its names.
func (t template) fill(fields []string, vars map[string]string) string {
	if len(t) == 1 && t[0].name == "" {
		return t[0].text
	}
	var text strings.Builder
	for _, p := range t {
		switch {
		case p.name == "":
			text.WriteString(p.text)
		case p.group >= 0:
			text.WriteString(cut(fields[p.group], p.limit))
		default:
			text.WriteString(cut(vars[p.name], p.limit))
		}
	}
	return text.String()
}

// escape returns a text as the lines of programs quote it, without the quotes.
func escape(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

// cut returns the first n characters of a text.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for i := range text {
		if n--; n < 0 {
			return text[:i]
		}
	}
	return text
}

// flagsWithoutValue are all those of the programs that stand for themselves.
var flagsWithoutValue = map[string]bool{"quiet": true, "confirm": true,
	"simple": true, "curve": true}

// readCommand reads a command as a student types it: "go run ./program", its
// flags, its words. A flag that is given several times has all its values.
func readCommand(command string) (flags map[string][]string,
	words []string) {
	flags = map[string][]string{}
	args := split(command)
	args = args[min(3, len(args)):]
	for len(args) > 0 {
		name, isFlag := strings.CutPrefix(args[0], "-")
		if !isFlag || name == "" {
			return flags, args
		}
		args = args[1:]
		if name == "-" { // what follows are words
			return flags, args
		}
		name = strings.TrimPrefix(name, "-")
		name, value, given := strings.Cut(name, "=")
		if !given && !flagsWithoutValue[name] && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		flags[name] = append(flags[name], value)
	}
	return flags, nil
}

// split takes a command line apart, as a shell does with plain words and
// those in single quotes.
func split(command string) (words []string) {
	var word strings.Builder
	quoted, begun := false, false
	for i := 0; i < len(command); i++ {
		switch c := command[i]; {
		case c == '\'':
			quoted, begun = !quoted, true
		case quoted:
			word.WriteByte(c)
		case c == '\\' && i+1 < len(command):
			i++
			word.WriteByte(command[i])
			begun = true
		case c == ' ':
			if begun {
				words = append(words, word.String())
				word.Reset()
			}
			begun = false
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}

// place returns an address in the form in which two are compared: the port,
// since all the programs of a lab run on one machine.
func place(address string) string {
	port := address[strings.LastIndex(address, ":")+1:]
	if _, err := strconv.Atoi(port); err == nil {
		return port
	}
	return address
}

// brokerPlace returns the URL of a broker, as its programs print it or are
// given it, in the form in which two are compared.
func brokerPlace(url string) string {
	url = strings.TrimPrefix(strings.TrimSpace(url), "amqp://")
	if _, behind, ok := strings.Cut(url, "@"); ok {
		url = behind
	}
	host, vhost, _ := strings.Cut(url, "/")
	host = strings.Replace(host, "localhost", "127.0.0.1", 1)
	return host + "/" + vhost
}

// topicFits says whether a routing key fits a binding key: of the words
// between the dots, * is one, # any number.
func topicFits(filter, route string) bool {
	words := strings.Split(route, ".")
	// fits[i]: the filter so far fits the first i words.
	fits := make([]bool, len(words)+1)
	fits[0] = true
	for _, want := range strings.Split(filter, ".") {
		for i := len(words); i >= 0; i-- {
			switch {
			case want == "#":
				fits[i] = slices.Contains(fits[:i+1], true)
			case i == 0:
				fits[i] = false
			default:
				fits[i] = fits[i-1] && (want == "*" || want == words[i-1])
			}
		}
	}
	return fits[len(words)]
}

// prefixFits is how ZeroMQ filters: a topic begins with what is asked for.
func prefixFits(filter, route string) bool {
	return strings.HasPrefix(route, filter)
}

// sortedKeys is for what must come out the same each time.
func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// means says whether what the verb does includes an act.
func (c *compiledVerb) means(a act) bool {
	return slices.ContainsFunc(c.does, func(b act) bool {
		return a.name == b.name
	})
}

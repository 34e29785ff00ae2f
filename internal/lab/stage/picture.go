package stage

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"sync"

	"github.com/dop251/goja"
)

// A Look is how a picture is drawn: its size, and its colours.
type Look struct {
	Width, Height int
	Dark          bool
}

func (l Look) theme() string {
	if l.Dark {
		return "dark"
	}
	return "light"
}

// Usual is how the page draws at 1280x720.
var Usual = Look{Width: 1280, Height: 578}

// The page's scripts draw without a page, too, so that a picture is what the
// page would save. Of a browser they need this one thing.
const ruler = `const document = { createElement: () => ({ getContext: () => ({
	measureText(text) {
		return { width: 100 * widthOfText(text, this.font.startsWith("bold")) };
	} }) }) };`

// pictureOf draws what has happened when all is over, as the page does.
const pictureOf = `function pictureOf(frames, w, h, theme) {
	const m = newModel();
	for (const frame of JSON.parse(frames)) addFrame(m, frame);
	const o = { w, h, theme, until: Math.min(endOf(m), m.last), scroll: 0,
		live: false, chosen: 0, marked: false };
	const lanes = layOut(m, o);
	o.line = timeline(m, o.until, lanes.right - lanes.left);
	return draw(m, o).replace("<svg ", ` + "`<svg width=\"${w}\" " +
	"height=\"${h}\" `" + `);
}`

var drawing = sync.OnceValues(func() (*goja.Program, error) {
	return goja.Compile("page", ruler+part("model.js")+part("time.js")+
		part("draw.js")+pictureOf, true)
})

// newDrawing returns the page's scripts, loaded.
func newDrawing() (*goja.Runtime, error) {
	program, err := drawing()
	if err != nil {
		return nil, fmt.Errorf("the page's scripts: %w", err)
	}
	page := goja.New()
	if err := page.Set("widthOfText", WidthOf); err != nil {
		return nil, err
	}
	if _, err := page.RunProgram(program); err != nil {
		return nil, fmt.Errorf("the page's scripts: %w", err)
	}
	return page, nil
}

// Picture returns the picture of a run as an SVG file, as the page shows it
// when the run is over. Its title is what it shows, in words.
func Picture(run []Frame, look Look, title string) (svg string, err error) {
	page, err := newDrawing()
	if err != nil {
		return "", err
	}
	frames, err := json.Marshal(run)
	if err != nil {
		return "", err
	}
	var draw func(frames string, w, h int, theme string) (string, error)
	if err := page.ExportTo(page.Get("pictureOf"), &draw); err != nil {
		return "", err
	}
	svg, err = draw(string(frames), look.Width, look.Height, look.theme())
	if err != nil {
		return "", fmt.Errorf("draw: %w", err)
	}
	head, body, _ := strings.Cut(svg, ">")
	return head + "><title>" + html.EscapeString(title) + "</title>" + body +
		"\n", nil
}

// Colours returns the colours of the page by their names, and those of its
// lanes, one after the other.
func Colours(dark bool) (named map[string]string, lanes []string, err error) {
	page, err := newDrawing()
	if err != nil {
		return nil, nil, err
	}
	var theme map[string]any
	script := "themes." + Look{Dark: dark}.theme()
	value, err := page.RunString(script)
	if err == nil {
		err = page.ExportTo(value, &theme)
	}
	if err == nil {
		err = page.ExportTo(page.ToValue(theme["lanes"]), &lanes)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", script, err)
	}
	named = map[string]string{}
	for name, colour := range theme {
		if text, ok := colour.(string); ok {
			named[name] = text
		}
	}
	return named, lanes, nil
}

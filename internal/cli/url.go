package cli

import (
	"regexp"
	"strings"
)

var (
	comma = regexp.MustCompile(`,\s*([A-Za-z][A-Za-z0-9+.-]*://)`)
	word  = regexp.MustCompile("[^\\s\"'`]+")
)

// SplitURLs returns the URLs of a list. They are separated by commas; one
// that is not followed by the beginning of another URL belongs to its own.
func SplitURLs(list string) (urls []string) {
	for {
		end := comma.FindStringSubmatchIndex(list)
		if end == nil {
			return append(urls, strings.TrimSpace(list))
		}
		urls = append(urls, strings.TrimSpace(list[:end[0]]))
		list = list[end[2]:]
	}
}

// HidePasswords returns a text with *** in place of each password that
// stands in it as in amqp://NAME:PASSWORD@HOST. That of guest, if it is
// guest, is no secret. Every text that may hold a URL goes through here
// before it is shown.
func HidePasswords(text string) string {
	return word.ReplaceAllStringFunc(text, func(word string) string {
		urls := SplitURLs(word)
		for i, url := range urls {
			urls[i] = HidePassword(url)
		}
		return strings.Join(urls, ",")
	})
}

// HidePassword is HidePasswords for a single URL, in which there may be any
// character, even where it does not belong.
func HidePassword(url string) string {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		scheme, rest = "", url
	} else {
		scheme += "://"
	}
	at := strings.LastIndex(rest, "@")
	if at < 0 && strings.HasPrefix(scheme, "amqp") {
		at = len(rest) // the host was forgotten, or there is no password
	}
	if at < 0 {
		return url
	}
	name, password, found := strings.Cut(rest[:at], ":")
	if !found || isPublic(name, password) {
		return url
	}
	if at == len(rest) && isPort(password) || strings.HasPrefix(name, "[") {
		return url // it is an address
	}
	return scheme + name + ":***" + rest[at:]
}

// isPublic tells whether everybody knows the password, or it stands for one.
func isPublic(name, password string) bool {
	return name == "guest" && password == "guest" ||
		name == "NAME" && password == "PASSWORD"
}

// isPort tells whether a text begins with a port, and what follows is a path.
func isPort(text string) bool {
	port, _, _ := strings.Cut(text, "/")
	return strings.Trim(port, "0123456789") == ""
}

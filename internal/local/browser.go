package local

import "os/exec"

// Browser returns where a Chromium is, or one that is built from it, or "".
// Only the tests of the stage need one: people use the browser they have.
func Browser() string {
	for _, name := range []string{"chromium-headless-shell", "chromium",
		"chromium-browser", "google-chrome", "/usr/lib64/chromium-browser/" +
			"headless_shell",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
		"/Applications/Chromium.app/Contents/MacOS/Chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Package installed finds the RabbitMQ that is installed on this machine.
// It uses nothing but the standard library, so that the doctor can be built
// before anything else is there.
package installed

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrMissing says that no RabbitMQ was found.
var ErrMissing = errors.New("RabbitMQ is not installed; make setup installs it")

// Where the distributions keep RabbitMQ's own scripts. The ones on the PATH
// are often wrappers that switch to the user rabbitmq, which only root may.
var places = []string{
	"/usr/lib/rabbitmq/bin",
	"/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
	"/opt/homebrew/opt/rabbitmq/sbin",
	"/usr/local/opt/rabbitmq/sbin",
	"/opt/rabbitmq/sbin",
}

// Scripts returns the folder that holds rabbitmq-server, rabbitmqctl and
// their like, or ErrMissing.
func Scripts() (string, error) {
	for _, place := range places {
		found, err := filepath.Glob(place)
		if err != nil {
			return "", err
		}
		for _, dir := range found {
			if isFile(filepath.Join(dir, "rabbitmq-server")) {
				return dir, nil
			}
		}
	}
	if path, err := exec.LookPath("rabbitmq-server"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", ErrMissing
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

package zeromq

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/cli"
)

// Private, if asked: with CURVE (rfc.zeromq.org/spec/25) only clients that
// know the server's public key can talk to it, and nobody else can read along.
// ZeroMQ needs the keys before Bind or Connect, and does the rest by itself.

var (
	curve bool   // a server is to have a key
	key   string // the public key of the servers that a client connects to
)

// CurveFlag defines -curve, for servers.
func CurveFlag() *bool {
	flag.BoolVar(&curve, "curve", false,
		"let in only clients that know this server's key, which it prints")
	return &curve
}

// KeyFlag defines -key, for clients.
func KeyFlag() *string {
	flag.StringVar(&key, "key", "",
		"the public `key` of a server that was started with -curve")
	return &key
}

// keyFileVar names the file that keeps the servers' key pair.
const keyFileVar = "DISTSYS_CURVE"

var errNoCurve = errors.New("-curve and -key need a libzmq with CURVE; " +
	"this one was built without")

// SecureServer gives a server's socket its key pair, if -curve was given. It is
// called before Bind.
func SecureServer(socket *zmq.Socket) error {
	if !curve {
		return nil
	}
	if !zmq.HasCurve() {
		return errNoCurve
	}
	public, secret, err := keyPair()
	if err != nil {
		return fmt.Errorf("-curve: %w", err)
	}
	if err := socket.SetCurveServer(1); err != nil {
		return err
	}
	if err := socket.SetCurveSecretkey(secret); err != nil {
		return err
	}
	log.Printf("lets in who knows its key: -key '%s'", public)
	return nil
}

// SecureClient gives a client's socket the server's key, and a pair of its own, if
// -key was given. It is called before Connect.
func SecureClient(socket *zmq.Socket) error {
	if key == "" {
		return nil
	}
	if !zmq.HasCurve() {
		return errNoCurve
	}
	if len(key) != 40 {
		return fmt.Errorf("-key has %d characters, and not 40; quote it: "+
			"-key 'KEY'", len(key))
	}
	public, secret, err := zmq.NewCurveKeypair()
	if err != nil {
		return err
	}
	if err := socket.SetCurveServerkey(key); err != nil {
		return fmt.Errorf("-key %q is not a key", key)
	}
	if err := socket.SetCurvePublickey(public); err != nil {
		return err
	}
	return socket.SetCurveSecretkey(secret)
}

// keyPair returns the key pair of the servers of this user. It is made once,
// so that clients find a server with the same key after a restart, and one
// key serves for several servers.
func keyPair() (public, secret string, err error) {
	file := os.Getenv(keyFileVar)
	if file == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return "", "", err
		}
		file = filepath.Join(dir, "distsys", "curve.key")
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return newKeyPair(file)
	}
	if err != nil {
		return "", "", err
	}
	secret = strings.TrimSpace(string(text))
	public, err = zmq.AuthCurvePublic(secret)
	if err != nil {
		return "", "", fmt.Errorf("%s does not hold a key; remove it", file)
	}
	return public, secret, nil
}

func newKeyPair(file string) (public, secret string, err error) {
	public, secret, err = zmq.NewCurveKeypair()
	if err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", "", err
	}
	return public, secret, os.WriteFile(file, []byte(secret+"\n"), 0o600)
}

// warnIfRefused has a line printed if a server does not let this client in.
func (s *Socket) warnIfRefused(address string) error {
	watch, err := s.watch(refused)
	if err != nil {
		return err
	}
	go func() {
		defer watch.Close()
		for said := false; ; {
			_, _, _, err := watch.RecvEvent(0)
			if err != nil {
				return // Close, or Ctrl-C
			}
			if !said {
				fmt.Fprintf(os.Stderr, "%s: the server at %s does not let "+
					"us in: is -key missing, or wrong?\n", cli.Name(), address)
				said = true
			}
		}
	}()
	return nil
}

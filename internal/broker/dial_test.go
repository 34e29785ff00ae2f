package broker_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"distsys/internal/broker"
	"distsys/internal/lab/labtest"
)

// What stands where a broker is looked for, but is none that can be used, is
// called what it is; and nobody is told to start a broker where one is.
func TestNoBroker(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	node, _, _ := shared(t, l)
	nobody := strings.TrimPrefix(l.Address(), "tcp://")
	closes := listen(t, func(conn net.Conn) {})
	chats := listen(t, func(conn net.Conn) {
		fmt.Fprint(conn, "220 mail.example ESMTP, at your service\r\n")
		io.Copy(io.Discard, conn) // until the other side has had enough
	})
	certificate, file := selfSigned(t, "localhost")
	secret := listenTLS(t, certificate)
	trusted := strings.Replace(secret, "127.0.0.1", "localhost", 1)
	here := fmt.Sprintf("127.0.0.1:%d", node.Port)
	const ports = "brokers listen on port 5672, or for amqps:// on 5671"
	for url, says := range map[string][]string{
		"amqp://" + nobody: {"no broker answers at amqp://" + nobody +
			"/ (connection refused)", "make broker"},
		"amqps://" + nobody + "/x": {"no broker answers at amqps://" +
			nobody + "/x (connection refused)", "make broker"},
		"amqp://[::1]:1/": {"at amqp://[::1]:1/ ("},
		"amqp://no.such.host.invalid/": {"no broker answers at " +
			"amqp://no.such.host.invalid:5672/", "is the name right"},
		"amqp://" + closes: {"closed the connection without a word", ports},
		"amqp://" + chats:  {"no broker answers as it should at", ports},
		"amqp://" + secret: {"no broker answers", ports},
		node.Management(): {"bad broker URL",
			"it does not begin with amqp:// or amqps://"},
		strings.Replace(node.Management(), "http", "amqp", 1): {
			"closed the connection without a word", ports},
		"amqps://" + here: {"what answers at amqps://" + here +
			"/ does not speak TLS; use amqp:// there"},
		"amqps://" + trusted: {"this machine does not trust whoever " +
			"signed the certificate of the broker at amqps://" + trusted,
			"cacertfile"},
		"amqps://" + trusted + "/?cacertfile=" + file: {
			"no broker answers at amqps://" + trusted,
			"closed the connection without a word"},
		"amqps://" + secret + "/?cacertfile=" + file: {
			"the certificate of the broker at amqps://" + secret,
			"is not for 127.0.0.1"},
		"amqps://" + secret + "/?cacertfile=nix": {"no encrypted connection",
			"open nix: no such file"},
		"amqps://" + closes: {"closed the connection without a word"},
		"amqp://" + here + "/nix": {"has no such vhost",
			"add_vhost nix"},
		"amqp://" + nobody + "/,amqp://guest:wrong@" + here: {
			"no broker answers at", `refuses user "guest"`},
	} {
		t.Run(url, func(t *testing.T) {
			t.Parallel()
			p := l.Start(producer, "-broker", url, "-count", "1")
			status, line := p.Wait(), strings.Join(p.Stderr(), "\n")
			if status != 1 || strings.Count(line, "\n") > 0 {
				t.Errorf("status %d, %s", status, line)
			}
			for _, text := range says {
				if !strings.Contains(line, text) {
					t.Errorf("%q is missing in: %s", text, line)
				}
			}
			start := strings.Contains(line, "make broker")
			if start != strings.Contains(line, "connection refused") &&
				!strings.Contains(url, ",") {
				t.Errorf("who is told to start a broker? %s", line)
			}
		})
	}
}

// listen returns the address of a server that talks to each that connects,
// and then closes the connection.
func listen(t *testing.T, talk func(conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	labtest.Must(t, err)
	t.Cleanup(func() { listener.Close() })
	go serve(listener, talk)
	return listener.Addr().String()
}

func serve(listener net.Listener, talk func(conn net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			talk(conn)
		}()
	}
}

func listenTLS(t *testing.T, certificate tls.Certificate) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0",
		&tls.Config{Certificates: []tls.Certificate{certificate}})
	labtest.Must(t, err)
	t.Cleanup(func() { listener.Close() })
	go serve(listener, func(conn net.Conn) { conn.Read(make([]byte, 100)) })
	return listener.Addr().String()
}

// selfSigned makes a certificate for a name, which is its own authority, and
// returns the file that it is in, too.
func selfSigned(t *testing.T, name string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	labtest.Must(t, err)
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	made, err := x509.CreateCertificate(rand.Reader, about, about,
		&key.PublicKey, key)
	labtest.Must(t, err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	labtest.Must(t, os.WriteFile(file, pem.EncodeToMemory(
		&pem.Block{Type: "CERTIFICATE", Bytes: made}), 0o600))
	return tls.Certificate{Certificate: [][]byte{made}, PrivateKey: key}, file
}

// A password may hold any character, a comma even as it is. It works, and
// nobody ever gets to see it.
func TestPassword(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	node, guests, vhost := shared(t, l)
	const name, secret, more = "ann", "a,b#", "c@d/e%f?g:h,amqp"
	labtest.Must(t, node.SetPassword(t.Context(), name, secret+more))
	labtest.Must(t, node.Permit(t.Context(), vhost, name, ".*"))
	escaped := as(guests, name, url.QueryEscape(secret+more))
	for _, right := range []string{
		escaped,
		strings.ReplaceAll(escaped, "%2C", ","),
		"amqp://" + strings.TrimPrefix(l.Address(), "tcp://") + "/, " +
			escaped,
	} {
		p := start(l, producer, right, "-count", "1")
		if p.Wait() != 0 {
			t.Errorf("with %s: %s", right, p.Text())
		}
	}
	raw := as(guests, name, secret+more)
	for _, args := range [][]string{
		{"-broker", raw},
		{"-broker", as(guests, name, secret) + "," + raw},
		{"-broker", as(guests, name, "wrong-"+secret)},
		{"-broker", as(guests, name, "a%2Cb%23wrong")},
		{"-broker", strings.TrimPrefix(raw, "amqp://")},
		{"-broker", "amqp://" + name + ":" + secret},
		{"-broker", "amqp://" + name + ":123#a,b#@localhost/"},
		{"-broker", as(guests, name, secret+"%zz")},
		{"-broker", as(guests, name, secret+" x")},
		{"-broker", as(guests, name, "a,b%23") + "?heartbeat=x"},
		{"-count", raw},
		{raw},
		{"1", "-broker=" + raw},
		{"-brocker=" + raw},
	} {
		for _, program := range []string{producer, subscriber} {
			p := l.Start(program, args...)
			status, text := p.Wait(), p.Text()
			if status != 1 || strings.Contains(text, secret) ||
				strings.Contains(text, "a%2Cb") {
				t.Errorf("%s %q: status %d: %s", program, args, status, text)
			}
		}
	}
	help := l.StartEnv([]string{"AMQP_URL=" + raw}, producer, "-h")
	if help.Wait() != 0 || strings.Contains(help.Text(), secret) ||
		!strings.Contains(help.Text(), `(default "amqp://ann:***@127.0.0.1`) {
		t.Errorf("-h prints %s", help.Text())
	}
}

// A story starts a private broker if there is none, but not if there is one
// that refuses: that is said.
func TestStoryIsRefused(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	_, url, _ := shared(t, l)
	story := l.StartEnv([]string{"DISTSYS_NODE="}, "message_queue/run",
		"-broker", as(url, "guest", "s3cret"))
	status, text := story.Wait(), story.Text()
	if status != 1 || !strings.Contains(text, `refuses user "guest"`) ||
		strings.Contains(text, "private") || strings.Contains(text, "s3cret") {
		t.Errorf("status %d: %s", status, text)
	}
}

// README warns of it: with amqp:// whoever can listen on the way reads the
// password, and all messages.
func TestPasswordIsSentInClear(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	node, url, _ := shared(t, l)
	heard := make(chan []byte, 1)
	through := listen(t, func(conn net.Conn) {
		to, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", node.Port))
		if err != nil {
			return
		}
		defer to.Close()
		go io.Copy(conn, to)
		var all bytes.Buffer
		io.Copy(to, io.TeeReader(conn, &all))
		heard <- all.Bytes()
	})
	url = strings.Replace(url, fmt.Sprintf("127.0.0.1:%d", node.Port),
		through, 1)
	if p := start(l, producer, url, "-count", "1"); p.Wait() != 0 {
		t.Fatal(p.Text())
	}
	text := <-heard
	for _, secret := range []string{"\x00guest\x00guest", `{"order_id":0,`} {
		if !bytes.Contains(text, []byte(secret)) {
			t.Errorf("%q is not among the %d bytes on the way", secret,
				len(text))
		}
	}
}

// Who has no time to wait for an answer learns that there was none, and
// nothing else.
func TestReachEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	silent := listen(t, func(conn net.Conn) {
		io.ReadFull(conn, make([]byte, len("AMQP0091")))
		cancel() // now, in the middle of it
		conn.Read(make([]byte, 1))
	})
	err := broker.Reach(ctx, "amqp://"+silent)
	if !errors.Is(err, broker.ErrNoAnswer) {
		t.Errorf("what is said of silence: %v", err)
	}
}

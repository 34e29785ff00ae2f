package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
)

// URL returns the address for programs, at the virtual host named.
func (n *Node) URL(vhost string) string {
	return fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/%s", n.Port,
		strings.TrimPrefix(vhost, "/"))
}

// Address returns the same, as programs print it: without user and password,
// for which they then take guest and guest.
func (n *Node) Address() string {
	return fmt.Sprintf("amqp://127.0.0.1:%d/", n.Port)
}

// Management returns the address of the management page (guest, guest).
func (n *Node) Management() string {
	return fmt.Sprintf("http://127.0.0.1:%d/", n.ManagementPort)
}

// AddVhost adds a virtual host, with all rights for guest, and returns its
// URL. Whatever has the same name in another virtual host is another thing.
func (n *Node) AddVhost(ctx context.Context, vhost string) (string, error) {
	if err := n.request(ctx, "PUT", "vhosts/"+url.PathEscape(vhost), nil); err != nil {
		return "", err
	}
	return n.URL(vhost), n.Permit(ctx, vhost, "guest", ".*")
}

// RemoveVhost removes a virtual host and all that is in it.
func (n *Node) RemoveVhost(ctx context.Context, vhost string) error {
	return n.request(ctx, "DELETE", "vhosts/"+url.PathEscape(vhost), nil)
}

// AddUser adds a user, whose password is the name.
func (n *Node) AddUser(ctx context.Context, user string) error {
	return n.SetPassword(ctx, user, user)
}

// SetPassword sets a user's password, and adds the user if there is none.
func (n *Node) SetPassword(ctx context.Context, user, password string) error {
	return n.request(ctx, "PUT", "users/"+user,
		map[string]string{"password": password, "tags": ""})
}

// RemoveUser removes a user, whose connections are closed.
func (n *Node) RemoveUser(ctx context.Context, user string) error {
	return n.request(ctx, "DELETE", "users/"+user, nil)
}

// Permit gives a user the right to all whose name matches a pattern.
func (n *Node) Permit(ctx context.Context, vhost, user, pattern string) error {
	return n.request(ctx, "PUT",
		"permissions/"+url.PathEscape(vhost)+"/"+user,
		map[string]string{"configure": pattern, "write": pattern,
			"read": pattern})
}

// SetTracing has the node publish each message that comes and goes in a
// virtual host to its exchange amq.rabbitmq.trace once more, or not.
func (n *Node) SetTracing(ctx context.Context, vhost string, on bool) error {
	return n.request(ctx, "PUT", "vhosts/"+vhost,
		map[string]bool{"tracing": on})
}

// CloseConnections closes all connections to a virtual host, as an operator
// can.
func (n *Node) CloseConnections(ctx context.Context, vhost string) error {
	_, err := n.Ctl(ctx, "close_all_connections", "--vhost", vhost,
		"closed by an operator")
	return err
}

// A Thing is an exchange, a queue or a binding; what it has not is empty.
type Thing struct {
	Name, Type, Source, Destination string
	RoutingKey                      string `json:"routing_key"`
}

// List returns the exchanges, the queues or the bindings of a virtual host.
func (n *Node) List(ctx context.Context, kind, vhost string) (all []Thing,
	err error) {
	err = n.ask(ctx, kind+"/"+url.PathEscape(vhost)+"?disable_stats=true", &all)
	return all, err
}

// request has the management plugin's HTTP API do something. A body that is
// not nil is sent as JSON.
func (n *Node) request(ctx context.Context, method, path string,
	body any) error {
	response, err := n.http(ctx, method, path, body)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// ask gets something from the management plugin's HTTP API.
func (n *Node) ask(ctx context.Context, path string, answer any) error {
	response, err := n.http(ctx, "GET", path, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer)
}

func (n *Node) http(ctx context.Context, method, path string, body any) (
	*http.Response, error) {
	text := ""
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		text = string(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method,
		n.Management()+"api/"+path, strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth("guest", "guest")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		response.Body.Close()
		return nil, fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return response, nil
}

// Ctl runs rabbitmqctl on the node and returns what it prints.
func (n *Node) Ctl(ctx context.Context, args ...string) (string, error) {
	ctl := exec.CommandContext(ctx, filepath.Join(n.scripts, "rabbitmqctl"),
		append([]string{"-n", n.Name}, args...)...)
	ctl.Env = n.env()
	text, err := ctl.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("rabbitmqctl %s: %w: %s",
			strings.Join(args, " "), err, text)
	}
	return string(text), nil
}

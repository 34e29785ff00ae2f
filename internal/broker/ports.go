package broker

import (
	"fmt"
	"net"

	"distsys/internal/local"
)

// pageOffset is the distance from the port for programs to that of the
// management page, as between RabbitMQ's own two: 5672 and 15672. Whoever
// knows one knows the other.
const pageOffset = 10_000

// choosePorts gives the node the ports that were asked for, and free ones
// for the rest.
func (n *Node) choosePorts() {
	n.Port, n.ManagementPort = n.askedPort, n.askedPage
	switch {
	case n.Port == 0 && n.ManagementPort == 0:
		n.Port = freePair()
		n.ManagementPort = n.Port + pageOffset
	case n.Port == 0:
		n.Port = local.FreePort()
	case n.ManagementPort == 0:
		n.ManagementPort = local.FreePort()
	}
	n.DistPort, n.EpmdPort = local.FreePort(), local.FreePort()
}

// freePair returns a port from 20000 on that nobody listens on, nor on the
// one that belongs to it. Both are below 32768, and none is one of those that
// local.FreePort returns.
func freePair() int {
	for {
		port := 20_000 + local.Turn("broker", 32_768-pageOffset-20_000)
		if isFree(port) && isFree(port+pageOffset) {
			return port
		}
	}
}

func isFree(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

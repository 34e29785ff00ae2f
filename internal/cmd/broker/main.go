// Broker keeps a RabbitMQ broker of your own in the foreground: on port 5672,
// where the programs look for one, with the management page on 15672. What
// it stores stays in the folder .broker until you remove that.
//
//	make broker
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"syscall"
	"time"

	"distsys/internal/broker"
	"distsys/internal/cli"
	"distsys/internal/local"
)

func main() {
	dir := flag.String("dir", ".broker", "`folder` for its data")
	port := flag.Int("port", 5672, "`port` for the programs")
	page := flag.Int("page", 15672, "`port` for the management page")
	cli.Parse("internal/cmd/broker",
		"Broker keeps a RabbitMQ broker of your own in the foreground.")
	cli.Grace = time.Minute // RabbitMQ is to end in good order
	cli.Main(func(ctx context.Context) error {
		return keep(ctx, *dir, *port, *page)
	})
}

func keep(ctx context.Context, dir string, port, page int) error {
	for _, p := range []int{port, page} {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p))
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("port %d is taken: if a broker runs there "+
				"already (make doctor tells), use that one; or choose other "+
				"ports with -port and -page", p)
		}
		if err != nil {
			return err
		}
		listener.Close()
	}
	node, err := broker.NewNode(dir, port, page)
	var used local.InUse
	if errors.As(err, &used) {
		return fmt.Errorf("%w, which runs a broker there: stop that one "+
			"first, or choose another folder with -dir", err)
	}
	if err != nil {
		return err
	}
	log.Printf("starting RabbitMQ (takes some seconds), data in %s", node.Dir)
	if err := node.Start(ctx); err != nil {
		return errors.Join(err, node.Close())
	}
	log.Printf("ready on %s", node.Address())
	log.Printf("management page: %s (guest, guest)", node.Management())
	log.Print("Ctrl-C stops it")
	select {
	case <-ctx.Done():
		log.Print("stopping RabbitMQ (takes some seconds)")
		return node.Close()
	case <-node.Exited():
		return errors.Join(errors.New("RabbitMQ ended by itself, see its "+
			"log in "+node.Dir+"/log"), node.Close())
	}
}

module distsys

go 1.24

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/pebbe/zmq4 v1.4.0
	github.com/rabbitmq/amqp091-go v1.16.0
	go.uber.org/goleak v1.3.0
	pgregory.net/rapid v1.3.0
)

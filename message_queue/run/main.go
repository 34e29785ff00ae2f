// Run tells the story of the message queue with real processes, or runs one
// of its experiments.
//
//	go run ./message_queue/run
//	go run ./message_queue/run offline-consumer
package main

import (
	"distsys/internal/broker"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	messagequeue "distsys/message_queue"
)

var url = broker.Flag()

func main() {
	lab.Main("message_queue",
		"A producer submits orders to a queue; consumers share the work.",
		alone(story),
		lab.Experiment{Name: "offline-consumer", Run: alone(offlineConsumer),
			Claim: "A consumer gets every order that was submitted while" +
				" it was away.",
			Without: offlineConsumerWithout},
		lab.Experiment{Name: "slow-worker", Run: slowWorker,
			Claim: "Whoever is free takes the next order: the fast worker" +
				" does most of the work.",
			Without: slowWorkerWithout},
		lab.Experiment{Name: "worker-crash", Run: workerCrash,
			Claim: "What a crashed worker did not acknowledge goes to" +
				" another one; nothing is lost.",
			Without: workerCrashWithout},
		lab.Experiment{Name: "prefetch", Run: alone(prefetch),
			Claim: "Without a limit the first consumer grabs all that the" +
				" queue holds.",
			Without: prefetchWithout},
		lab.Experiment{Name: "poison", Run: alone(poison),
			Claim: "An order that crashes whoever takes it comes back five" +
				" times, and is then set aside.",
			Without: poisonWithout},
		lab.Experiment{Name: "broker-restart", Run: alone(brokerRestart),
			Claim: "Every confirmed order survives a crash of the broker:" +
				" a quorum queue keeps all messages, a classic queue the" +
				" persistent ones.",
			Without: brokerRestartWithout},
		lab.Experiment{Name: "confirm", Run: alone(confirm),
			Claim: "Without confirms, a producer believes that it sent" +
				" orders that never arrived.",
			Without: confirmWithout},
		lab.Experiment{Name: "node-loss", Run: alone(nodeLoss),
			Claim: "In a cluster of three brokers, nothing confirmed is" +
				" lost with the one that leads the queue.",
			Without: nodeLossWithout},
	)
}

func story(l *lab.Lab) {
	url := brokerlab.Guest(l, *url,
		[]string{messagequeue.Queue, messagequeue.DeadLetters}, nil)
	l.Step("two consumers wait for orders")
	first := consumer(l, url, "1", "-work", "500ms")
	second := consumer(l, url, "2", "-work", "500ms")

	l.Step("a producer submits ten; each goes to a consumer that is free")
	producer(l, url, "-count", "10", "-interval", "200ms").Wait()
	l.WaitForCount(handled, 10, first, second)
}

package tuplespace

import "time"

const (
	// ZeroMQ keeps so many replies for a client that takes none. Our clients
	// have one request at a time, so they never have more than a few.
	maxUnread = 8
	// Large replies are counted, too: all of them together.
	largeReply     = 64 << 10
	maxUnreadBytes = 64 << 20
	// A large reply is forgotten after some time. Its client takes no others
	// (or it would have asked again), or it is gone.
	unreadFor = 10 * time.Second
	// Who has taken nothing for long gets nothing for a while.
	pause     = time.Second
	maxPaused = 10_000
)

// unread is what clients have been sent, but may not have taken yet. ZeroMQ
// does not say what it still keeps. So a large reply counts as unread until
// its client asks for something else.
type unread struct {
	bytes        int // of all large replies
	byConnection map[string]owed
	paused       map[string]time.Time // until then they get nothing
}

type owed struct {
	bytes int
	at    time.Time // of the last one
}

func newUnread() unread {
	return unread{byConnection: map[string]owed{},
		paused: map[string]time.Time{}}
}

// asked is called when a request comes. It is false if that is not to be done,
// since its client does not take the replies to those before it.
func (u *unread) asked(connection string, now time.Time) bool {
	u.forget(connection)
	until, ok := u.paused[connection]
	if ok && now.Before(until) {
		return false
	}
	delete(u.paused, connection)
	return true
}

// stuck is called when there is no room for a client's replies any more.
func (u *unread) stuck(connection string, now time.Time) {
	if len(u.paused) >= maxPaused {
		clear(u.paused)
	}
	u.paused[connection] = now.Add(pause)
}

// add counts a reply that is about to be sent. It is false if that would be
// too much.
func (u *unread) add(connection string, bytes int, now time.Time) bool {
	if bytes < largeReply {
		return true
	}
	if u.bytes+bytes > maxUnreadBytes {
		for connection, o := range u.byConnection {
			if now.Sub(o.at) > unreadFor {
				u.forget(connection)
			}
		}
	}
	if u.bytes+bytes > maxUnreadBytes {
		return false
	}
	u.bytes += bytes
	u.byConnection[connection] = owed{u.byConnection[connection].bytes + bytes,
		now}
	return true
}

func (u *unread) forget(connection string) {
	u.bytes -= u.byConnection[connection].bytes
	delete(u.byConnection, connection)
}

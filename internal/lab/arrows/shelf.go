package arrows

import "slices"

// A shelf holds things by their keys, of which several may have the same. It
// knows which of all is the oldest.
type shelf[T comparable] struct {
	byKey map[string][]*thing[T] // the oldest first
	all   []*thing[T]            // likewise; some may be gone
	size  int
}

type thing[T comparable] struct {
	key   string
	value T
	gone  bool
}

func (s *shelf[T]) add(key string, value T) {
	if s.byKey == nil {
		s.byKey = map[string][]*thing[T]{}
	}
	t := &thing[T]{key: key, value: value}
	s.byKey[key] = append(s.byKey[key], t)
	s.all = append(s.all, t)
	s.size++
}

// with returns the values that have the key.
func (s *shelf[T]) with(key string) (values []T) {
	for _, t := range s.byKey[key] {
		values = append(values, t.value)
	}
	return values
}

// remove removes a value, if it is there.
func (s *shelf[T]) remove(key string, value T) {
	same := s.byKey[key]
	i := slices.IndexFunc(same, func(t *thing[T]) bool {
		return t.value == value
	})
	if i < 0 {
		return
	}
	same[i].gone = true
	s.size--
	if len(same) == 1 {
		delete(s.byKey, key)
	} else {
		s.byKey[key] = slices.Delete(same, i, i+1)
	}
	// Forget those at the front that are gone, and all, once they are many.
	for len(s.all) > 0 && s.all[0].gone {
		s.all[0] = nil
		s.all = s.all[1:]
	}
	if len(s.all) > 2*s.size+64 {
		s.all = slices.DeleteFunc(s.all, func(t *thing[T]) bool {
			return t.gone
		})
	}
}

// removeOldest removes the oldest value of all, and returns it. There must be
// one.
func (s *shelf[T]) removeOldest() T {
	oldest := s.all[0]
	s.remove(oldest.key, oldest.value)
	return oldest.value
}

// values returns what is there, the oldest first.
func (s *shelf[T]) values() (values []T) {
	for _, t := range s.all {
		if !t.gone {
			values = append(values, t.value)
		}
	}
	return values
}

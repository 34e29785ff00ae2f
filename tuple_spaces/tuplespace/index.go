package tuplespace

import "iter"

// An index lists tuples by each of their fields: for the tuples of one length
// it has a list for each value at each position. A search looks through the
// shortest of the lists that the pattern names.
type index map[int]*arity // by the number of fields

// An arity is the index of all tuples with the same number of fields.
type arity struct {
	all     *queue[*entry]
	byField []map[string]*queue[*entry] // by position, then by the field's key
}

// rarest goes through the tuples that share the pattern's rarest field.
func (x index) rarest(pattern []field) iter.Seq[*entry] {
	a := x[len(pattern)]
	if a == nil {
		return func(func(*entry) bool) {} // there are none
	}
	shortest := a.all
	for i, p := range pattern {
		if p.isFormal() {
			continue
		}
		list := a.byField[i][p.key]
		if list == nil {
			return func(func(*entry) bool) {}
		}
		if list.len < shortest.len {
			shortest = list
		}
	}
	return shortest.each
}

func (x index) add(t *entry) {
	a := x.arity(len(t.fields))
	a.all.add(t)
	for i, f := range t.fields {
		a.list(i, f.key).add(t)
	}
}

// merge is add for many that come back, the oldest first.
func (x index) merge(tuples []*entry) {
	back := map[*queue[*entry]][]*entry{}
	for _, t := range tuples {
		a := x.arity(len(t.fields))
		back[a.all] = append(back[a.all], t)
		for i, f := range t.fields {
			list := a.list(i, f.key)
			back[list] = append(back[list], t)
		}
	}
	for list, some := range back {
		list.merge(some)
	}
}

// remove takes a tuple out that is marked as removed.
func (x index) remove(t *entry) {
	a := x[len(t.fields)]
	for i, f := range t.fields {
		list := a.byField[i][f.key]
		if list.remove(); list.len == 0 {
			delete(a.byField[i], f.key)
		}
	}
	if a.all.remove(); a.all.len == 0 {
		delete(x, len(t.fields))
	}
}

func (x index) arity(n int) *arity {
	a := x[n]
	if a == nil {
		a = &arity{&queue[*entry]{}, make([]map[string]*queue[*entry], n)}
		for i := range a.byField {
			a.byField[i] = map[string]*queue[*entry]{}
		}
		x[n] = a
	}
	return a
}

func (a *arity) list(position int, key string) *queue[*entry] {
	list := a.byField[position][key]
	if list == nil {
		list = &queue[*entry]{}
		a.byField[position][key] = list
	}
	return list
}

package resp

// Args gathers the words of one command, up to a budget: what a client sends
// beyond it is counted but not kept.
type Args struct {
	budget    int
	buf       []byte
	ends      []int
	dropped   bool
	unstarted bool
}

// MaxKept bounds what is kept of a command that is gathered: an IAM token has
// 2 KiB, the longest list of client ids that anybody types is far below it.
const MaxKept = 1 << 20

// wordCost is what an argument costs beside its bytes, so that a million empty
// arguments are bounded too.
const wordCost = 8

// Reset forgets the words and sets the budget for the next command.
func (a *Args) Reset(budget int) {
	if cap(a.buf) > 64<<10 { // let go of what an unusual command needed
		a.buf, a.ends = nil, nil
	}
	a.buf, a.ends, a.dropped, a.budget = a.buf[:0], a.ends[:0], false, budget
}

// Add appends a whole word.
func (a *Args) Add(word []byte) {
	a.begin()
	a.extend(word)
}

// Len is the number of words kept.
func (a *Args) Len() int { return len(a.ends) }

// Cut reports whether the command was bigger than the budget.
func (a *Args) Cut() bool { return a.dropped }

// Word returns the i-th word; it is valid until Reset.
func (a *Args) Word(i int) []byte {
	start := 0
	if i > 0 {
		start = a.ends[i-1]
	}
	return a.buf[start:a.ends[i]:a.ends[i]]
}

// Words returns all words; they are valid until Reset.
func (a *Args) Words() [][]byte {
	words := make([][]byte, a.Len())
	for i := range words {
		words[i] = a.Word(i)
	}
	return words
}

func (a *Args) begin() {
	if a.unstarted = len(a.buf)+wordCost*len(a.ends) >= a.budget; a.unstarted {
		a.dropped = true
		return
	}
	a.ends = append(a.ends, len(a.buf))
}

func (a *Args) extend(part []byte) {
	if a.unstarted || len(part) == 0 {
		return
	}
	if room := max(a.budget-len(a.buf), 0); len(part) > room {
		part = part[:room]
		a.dropped = true
	}
	a.buf = append(a.buf, part...)
	a.ends[len(a.ends)-1] = len(a.buf)
}

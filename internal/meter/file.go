package meter

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A file holds a day of UTC, in lines of a checksum, a space and one of
//
//	d ID {"namespace":…}   the series that ID stands for from here on
//	m MINUTE ID-ID ID=VALUE …   what was measured; a range of IDs saw zero
//
// A line that is damaged or cut off is left out and harms no other. Each start of
// the program uses new IDs, so that a damaged definition cannot give values to
// another series.
const (
	dayFormat = "2006-01-02"
	suffix    = ".meter"
	// maxLine holds a minute in which every one of maxSeries has a value.
	maxLine = maxSeries * 40
	// maxFile bounds a day's file: a hundred busy nodes write 30 MB.
	maxFile = 256 << 20
)

// definition is a series in a file.
type definition struct {
	Series
	Gauge bool `json:"gauge,omitempty"`
}

type file struct {
	dir     string
	day     string // the day that open is for
	open    *os.File
	size    int64
	ids     map[string]int // of series, by key
	nextID  int
	present []string // the days that have files
}

func newFile(dir string) *file { return &file{dir: dir, ids: map[string]int{}, nextID: 1} }

func dayOf(at minute) string { return at.time().Format(dayFormat) }

func (f *file) path(day string) string { return filepath.Join(f.dir, day+suffix) }

// load reads the files of the days from one minute to another and counts the
// lines that cannot be read. What a clock that ran ahead has left is not read.
func (f *file) load(from, to minute, take func(s Series, gauge bool, at minute, value float64)) (damaged int, err error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return 0, err
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return 0, err
	}
	for _, entry := range entries { // sorted by name, which is by day
		day, ours := strings.CutSuffix(entry.Name(), suffix)
		if _, err := time.Parse(dayFormat, day); !ours || err != nil {
			continue
		}
		f.present = append(f.present, day)
		if day < dayOf(from) || day > dayOf(to) {
			continue
		}
		bad, err := f.loadDay(day, func(s Series, gauge bool, at minute, value float64) {
			if at >= from && at <= to {
				take(s, gauge, at, value)
			}
		})
		if err != nil {
			return damaged, err
		}
		damaged += bad
	}
	return damaged, nil
}

func (f *file) loadDay(day string, take func(s Series, gauge bool, at minute, value float64)) (damaged int, err error) {
	in, err := os.Open(f.path(day))
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	r := reader{day: day, definitions: map[int]definition{}, take: take}
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 0, 64<<10), maxLine)
	for scanner.Scan() {
		if len(scanner.Bytes()) > 0 && !r.line(scanner.Bytes()) {
			damaged++
		}
	}
	if scanner.Err() != nil { // too long for a line: what follows is not ours
		damaged++
	}
	f.nextID = max(f.nextID, r.highest+1)
	return damaged, nil
}

// reader reads one file.
type reader struct {
	day         string
	definitions map[int]definition
	highest     int // id
	take        func(s Series, gauge bool, at minute, value float64)
}

func (r *reader) line(line []byte) bool {
	sum, text, ok := bytes.Cut(line, []byte(" "))
	if want, err := strconv.ParseUint(string(sum), 16, 32); !ok || err != nil || uint32(want) != crc32.ChecksumIEEE(text) {
		return false
	}
	kind, rest, _ := strings.Cut(string(text), " ")
	first, rest, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseInt(first, 10, 32)
	switch {
	case err != nil || n < 0:
		return false
	case kind == "d":
		return r.define(int(n), rest)
	case kind == "m" && dayOf(minute(n)) == r.day:
		return r.minute(minute(n), rest)
	}
	return false
}

func (r *reader) define(id int, text string) bool {
	var d definition
	if json.Unmarshal([]byte(text), &d) != nil || strings.Contains(d.Key(), "\x00\x00") {
		return false
	}
	r.highest = max(r.highest, id)
	r.definitions[id] = d
	return true
}

func (r *reader) minute(at minute, text string) bool {
	whole := true
	for field := range strings.FieldsSeq(text) {
		from, to, value, ok := parseField(field)
		if !ok || to-from >= maxSeries {
			whole = false
			continue
		}
		r.highest = max(r.highest, to)
		for id := from; id <= to; id++ {
			if d, known := r.definitions[id]; known {
				r.take(d.Series, d.Gauge, at, value)
			} else {
				whole = false
			}
		}
	}
	return whole
}

// parseField reads "7-9", which is zero, or "7=12.5".
func parseField(field string) (from, to int, value float64, ok bool) {
	id, number, valued := strings.Cut(field, "=")
	last := id
	if !valued {
		id, last, ok = strings.Cut(field, "-")
		if !ok {
			return 0, 0, 0, false
		}
		number = "0"
	}
	begin, err := strconv.ParseUint(id, 10, 31)
	end, err2 := strconv.ParseUint(last, 10, 31)
	value, err3 := strconv.ParseFloat(number, 64)
	if errors.Join(err, err2, err3) != nil || math.IsNaN(value) || math.IsInf(value, 0) || begin > end {
		return 0, 0, 0, false
	}
	return int(begin), int(end), value, true
}

// append writes a minute. After an error the next append starts anew, with a
// line and with ids of its own.
func (f *file) append(at minute, measured []*values) error {
	if len(measured) == 0 {
		return nil
	}
	if err := f.turn(dayOf(at)); err != nil {
		return err
	}
	text, err := f.lines(at, measured)
	if err == nil && f.size+int64(len(text)) > maxFile {
		err = fmt.Errorf("%s would be larger than %d bytes; this minute is kept in memory only", f.path(f.day), maxFile)
	}
	if err == nil {
		_, err = f.open.Write(text)
	}
	if err != nil {
		return errors.Join(err, f.close())
	}
	f.size += int64(len(text))
	for _, v := range measured {
		v.saved = point{at, v.newest()}
	}
	return nil
}

func (f *file) lines(at minute, measured []*values) ([]byte, error) {
	var text bytes.Buffer
	byID := map[int]*values{}
	ids := make([]int, 0, len(measured))
	for _, v := range measured {
		id, err := f.id(&text, v)
		if err != nil {
			return nil, err
		}
		byID[id] = v
		ids = append(ids, id)
	}
	slices.Sort(ids)
	line(&text, "m "+strconv.Itoa(int(at))+fields(ids, byID))
	return text.Bytes(), nil
}

// fields writes values by sorted ids, runs of zeros as one.
func fields(ids []int, byID map[int]*values) string {
	var b strings.Builder
	for i := 0; i < len(ids); i++ {
		if value := byID[ids[i]].unsaved(); value != 0 {
			b.WriteString(" " + strconv.Itoa(ids[i]) + "=" + strconv.FormatFloat(value, 'g', -1, 64))
			continue
		}
		first := ids[i]
		for i+1 < len(ids) && ids[i+1] == ids[i]+1 && byID[ids[i+1]].unsaved() == 0 {
			i++
		}
		b.WriteString(" " + strconv.Itoa(first) + "-" + strconv.Itoa(ids[i]))
	}
	return b.String()
}

// id returns a series' id in the file, and defines it first if it has none.
func (f *file) id(text *bytes.Buffer, v *values) (int, error) {
	key := v.series.Key()
	if id, ok := f.ids[key]; ok {
		return id, nil
	}
	id := f.nextID
	encoded, err := json.Marshal(definition{v.series, v.gauge})
	if err != nil {
		return 0, err
	}
	line(text, "d "+strconv.Itoa(id)+" "+string(encoded))
	f.ids[key] = id
	f.nextID++
	return id, nil
}

func line(text *bytes.Buffer, content string) {
	fmt.Fprintf(text, "%08x %s\n", crc32.ChecksumIEEE([]byte(content)), content)
}

// turn opens the file of a day, if it is not the one that is open. A line that a
// crash cut off is ended first.
func (f *file) turn(day string) error {
	if f.open != nil && f.day == day {
		return nil
	}
	if err := f.close(); err != nil {
		return err
	}
	open, err := os.OpenFile(f.path(day), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := open.Stat()
	if err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err = open.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			_, err = open.WriteString("\n")
		}
	}
	if err != nil {
		return errors.Join(err, open.Close())
	}
	f.open, f.day, f.size = open, day, info.Size()
	f.ids = map[string]int{}
	if !slices.Contains(f.present, day) {
		f.present = append(f.present, day)
		f.nextID = 1 // nothing in the new file has an id
	}
	return nil
}

// close closes the file that is open; the next append opens one again.
func (f *file) close() error {
	if f.open == nil {
		return nil
	}
	open := f.open
	f.open = nil
	return open.Close()
}

// forget deletes the files of the days before that of a minute.
func (f *file) forget(before minute) error {
	var failures []error
	f.present = slices.DeleteFunc(f.present, func(day string) bool {
		if day >= dayOf(before) {
			return false
		}
		err := os.Remove(f.path(day))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		failures = append(failures, err)
		return err == nil
	})
	return errors.Join(failures...)
}

package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
)

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string      `xml:"name,attr"`
		Class   string      `xml:"classname,attr"`
		File    string      `xml:"file,attr,omitempty"`
		Line    int         `xml:"line,attr,omitempty"`
		Failure *junitFault `xml:"failure,omitempty"`
		Error   *junitFault `xml:"error,omitempty"`
		Skipped *junitSkip  `xml:"skipped,omitempty"`
	}
	junitFault struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkip struct {
		Message string `xml:"message,attr"`
	}
)

// writeJUnit writes a suite per control and a case per resource. UNKNOWN and
// ERROR are errors: a run that could not decide is not a green one.
func (r *Report) writeJUnit(w io.Writer) error {
	all := junitSuites{Name: "gatehouse audit"}
	place := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		at, ok := place[f.Control]
		if !ok {
			at = len(all.Suites)
			place[f.Control] = at
			all.Suites = append(all.Suites, junitSuite{Name: f.Control + " " + f.Title, Timestamp: r.GeneratedAt.Format("2006-01-02T15:04:05")})
		}
		all.Suites[at].add(junitOf(f))
	}
	for _, suite := range all.Suites {
		all.Tests, all.Failures = all.Tests+suite.Tests, all.Failures+suite.Failures
		all.Errors, all.Skipped = all.Errors+suite.Errors, all.Skipped+suite.Skipped
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func junitOf(f *posture.Finding) junitCase {
	c := junitCase{Name: f.Resource, Class: f.Control, File: f.Source.File, Line: f.Source.Line}
	fault := &junitFault{Type: string(f.Verdict), Message: f.Reason, Text: strings.Join(append(sentences(f), Place(f)), "\n")}
	switch f.Verdict {
	case posture.Fail, posture.FailEffective:
		c.Failure = fault
	case posture.Error, posture.Undecided:
		c.Error = fault
	case posture.Excepted:
		c.Skipped = &junitSkip{"excepted by " + f.Exception.ID + " until " + f.Exception.Expires + ": " + f.Exception.Reason}
	case posture.NotApplicable:
		c.Skipped = &junitSkip{f.Reason}
	}
	return c
}

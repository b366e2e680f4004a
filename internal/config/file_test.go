package config_test

import (
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/config"
)

func TestRead(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"known keys", "data-dir: /srv/g\naccount-id: \"123456789012\"\ndirect-set: true\netcd-endpoints: [http://a:1]\n", ""},
		{"unknown keys, all named", "data-dri: x\nregon: y\n", "data-dri, regon"},
		{"not YAML", "a: [", "--config"},
		{"empty", "", ""},
	} {
		file, err := config.Read(strings.NewReader(test.text), &config.Server{})
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want an error with %q", test.name, err, test.want)
		case test.name == "known keys" && file["data-dir"] != "/srv/g":
			t.Errorf("%s: data-dir is %v", test.name, file["data-dir"])
		}
	}
	if _, err := config.Read(strings.NewReader(strings.Repeat("#", 1<<20+1)), &config.Server{}); err == nil {
		t.Error("a file without end was read")
	}
}

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/config"
)

func TestReadFile(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"known keys", "data-dir: /srv/g\naccount-id: \"123456789012\"\ndirect-set: true\netcd-endpoints: [http://a:1]\n", ""},
		{"unknown keys, all named", "data-dri: x\nregon: y\n", "data-dri, regon"},
		{"not YAML", "a: [", "--config"},
		{"empty", "", ""},
	} {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := config.ReadFile(path, &config.Server{})
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want an error with %q", test.name, err, test.want)
		case test.name == "known keys" && file["data-dir"] != "/srv/g":
			t.Errorf("%s: data-dir is %v", test.name, file["data-dir"])
		}
	}
	if _, err := config.ReadFile(filepath.Join(t.TempDir(), "none"), &config.Server{}); err == nil {
		t.Error("a file that is not there was read")
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/gatehouse/gatehouse/internal/remote"
	"github.com/gatehouse/gatehouse/internal/serve"
)

type gatewayCommand struct {
	serverFlags
	ID         string `help:"Name of the gateway. Making credentials again makes the earlier ones worthless." required:"" placeholder:"NAME"`
	ListenHost string `help:"The address or name that the gateway listens at, on the ports of the caches; no other gateway's, nor the server's --gateway-host." placeholder:"HOST"`
	Address    string `help:"Where the gateway reaches the server's --gateway-listen, if not at the address that the server knows." placeholder:"HOST:PORT"`
	Out        string `help:"Write the credential file here (0600); it must not exist." type:"path" placeholder:"FILE"`
	Revoke     bool   `help:"Withdraw the credentials instead."`
}

// Run makes a key, has the server sign it and writes the file. The private key
// never leaves this process but for the file.
func (c gatewayCommand) Run(ctx context.Context) error {
	s, err := c.find()
	if err != nil {
		return err
	}
	if c.Revoke {
		return s.call(ctx, http.MethodDelete, "/gatehouse/v1/gateway?"+url.Values{"id": {c.ID}}.Encode(), nil, &struct{}{})
	}
	if c.Out == "" || c.ListenHost == "" {
		return usageError{errors.New("--listen-host and --out are needed to make credentials")}
	}
	if _, err := os.Lstat(c.Out); err == nil { // before the earlier credentials are replaced
		return fmt.Errorf("%s exists already: remove it, or name another file with --out", c.Out)
	}
	key, public, err := remote.NewKey()
	if err != nil {
		return err
	}
	var answer serve.GatewayAnswer
	request := serve.GatewayRequest{ID: c.ID, ListenHost: c.ListenHost, PublicKey: public}
	if err := s.call(ctx, http.MethodPost, "/gatehouse/v1/gateway", request, &answer); err != nil {
		return err
	}
	address := answer.Address
	if c.Address != "" {
		address = c.Address
	}
	credentials, err := remote.NewCredentials(c.ID, address, []byte(answer.CA), answer.Certificate, key)
	if err != nil {
		return err
	}
	if err := credentials.Write(c.Out); err != nil {
		return err
	}
	_, err = fmt.Printf("%s holds the credentials of gateway %s. Start it, on the engines' machine and as the server's user, with:\n  gatehouse-gateway --credentials %s\n", c.Out, c.ID, c.Out)
	return err
}

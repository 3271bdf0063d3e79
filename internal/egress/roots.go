package egress

import (
	"crypto/x509"
	"errors"
)

// Roots are the certificates that the system trusts, and those of pem beside
// them. Nothing is trusted less for it, and no check is left out.
func Roots(pem []byte) (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // the system has none
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("it holds no certificate in PEM")
	}
	return roots, nil
}

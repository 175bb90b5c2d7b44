// A receiver of genq's webhooks, with nothing but Go.
//
//	GENQ_WEBHOOK_SECRET=whsec_… go run receiver.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type event struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data struct {
		ID     string `json:"id"`
		Assets []struct {
			URL string `json:"url"`
		} `json:"assets"`
	} `json:"data"`
}

func main() {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("GENQ_WEBHOOK_SECRET"), "whsec_"))
	if err != nil || len(key) == 0 {
		log.Fatal("GENQ_WEBHOOK_SECRET is no whsec_ secret")
	}
	events := make(chan event, 1000)
	go work(events)
	var seen sync.Map // a table with a unique column, where there is more than one process

	http.HandleFunc("/hooks/genq", func(response http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, 16<<20)) // an event holds a whole result
		if err != nil || !genuine(request.Header, body, key) {
			response.WriteHeader(http.StatusUnauthorized)
			return
		}
		var happened event
		if json.Unmarshal(body, &happened) != nil {
			response.WriteHeader(http.StatusBadRequest)
			return
		}
		// The same event may come twice, always under the same id.
		if _, repeated := seen.LoadOrStore(happened.ID, true); !repeated {
			events <- happened // answer first, work afterwards
		}
		response.WriteHeader(http.StatusNoContent)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:9999", nil))
}

func genuine(header http.Header, body, key []byte) bool {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	sent, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || time.Since(time.Unix(sent, 0)).Abs() > 5*time.Minute {
		return false // too old, or the clock of one of us is wrong
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	expected := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	// Several signatures, while a secret is being changed for a new one.
	for _, signature := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal(expected, []byte(signature)) {
			return true
		}
	}
	return false
}

func work(events <-chan event) {
	for happened := range events {
		for _, asset := range happened.Data.Assets {
			log.Println(happened.Type, happened.Data.ID, asset.URL)
		}
	}
}

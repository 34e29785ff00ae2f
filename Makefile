# `make` alone says what there is. See README.md.
.DEFAULT_GOAL := help
.PHONY: help stage demo test claims handout bench soak doctor setup broker \
	installed check-go checked tested

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.6.1

help: ## say what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | \
		while IFS="$$(printf '\t')" read -r name what; do \
			printf '  make %-8s %s\n' "$$name" "$$what"; done

demo: installed ## see every pattern run, one after the other
	@go run ./internal/cmd/demo

test soak: FOR = -tests

test: installed ## check and test everything (SKIP_RABBITMQ=1, SKIP_BROWSER=1)
	@out=$$(gofmt -l .); test -z "$$out" || \
		{ echo "not formatted, run gofmt -w on: $$out"; exit 1; }
	@$(MAKE) --no-print-directory -j 2 checked tested

checked:
	go vet ./...
	go run $(STATICCHECK) ./...

tested:
	@go run ./internal/cmd/test

stage: installed ## a page with every story and experiment (STAGE_PORT=its port)
	@go run ./internal/cmd/stage $(if $(STAGE_PORT),-port $(STAGE_PORT))

claims: installed ## run every experiment, does its claim hold? (WITHOUT=1: without its line?)
	@go run ./internal/cmd/claims $(if $(WITHOUT),-without)

handout: installed ## pages of it all, to give away: site/index.html (DIR=folder)
	@go run ./internal/cmd/handout $(if $(DIR),-dir '$(DIR)')

soak: installed ## test for half an hour what chance could break
	@echo "1 of 7: the tuple space's server, with requests of all kinds (5 min)"
	go test -run '^$$' -fuzz FuzzServer -fuzztime 5m ./tuple_spaces/tuplespace
	@echo "2 of 7: its reader of JSON, with texts of all kinds (1 min)"
	go test -run '^$$' -fuzz FuzzScan -fuzztime 1m ./tuple_spaces/tuplespace
	@echo "3 of 7: attacks on it, 20 s each"
	TUPLESPACE_ATTACK=20s go test -count 1 -run Attack \
		./tuple_spaces/tuplespace
	@echo "4 of 7: its promises, in random runs"
	go test -race -run 'Both|Linear|Cancelled' -count 20 \
		./tuple_spaces/tuplespace -rapid.checks 5000
	@echo "5 of 7: all tests, five times"
	DISTSYS_ALL=1 STAGE_ALL=1 go test -race -count 5 -timeout 2h ./...
	go test -count 5 ./tuple_spaces/tuplespace
	@echo "6 of 7: the whole hand-out, in the browser"
	HANDOUT_ALL=1 go test -count 1 -timeout 1h -run 'TestHandout$$' \
		./internal/lab/stage
	@echo "7 of 7: every claim, without the lines that make it true"
	go run ./internal/cmd/claims -without

bench: installed ## measure all patterns, with plots (JSON=file: keep the figures)
	@go run ./internal/cmd/bench -plots site/plots $(if $(JSON),-json '$(JSON)')

doctor: check-go ## say what this machine lacks, and the cure
	@DISTSYS_CGO="$$CGO_ENABLED" CGO_ENABLED=0 go run ./internal/cmd/doctor

setup: installed ## install what this machine lacks (it says what), and build all
	@go run ./internal/cmd/setup

installed: check-go
	@DISTSYS_CGO="$$CGO_ENABLED" CGO_ENABLED=0 go run ./internal/cmd/doctor -fix $(FOR)

broker: installed ## a RabbitMQ broker of your own, in the foreground
	@mkdir -p .broker 2>/dev/null || { echo "No right to write here. Instead:" \
		"go run ./internal/cmd/broker -dir FOLDER"; exit 1; }
	@go build -buildvcs=false -o .broker/broker ./internal/cmd/broker
	@exec .broker/broker

# Go itself cannot be asked from Go, so this is the one check in shell.
check-go:
	@command -v go >/dev/null || { echo "Go is missing." \
		"Get Go 1.24 or newer from https://go.dev/dl/" \
		"(Debian 13: apt-get install golang-go)."; exit 1; }
	@have=$$(go env GOVERSION 2>/dev/null); \
	minor=$$(echo "$$have" | sed -n 's/^go1\.\([0-9]*\).*/\1/p'); \
	test "$${minor:-0}" -ge 24 || { echo "This Go is too old:" \
		"$$(go version 2>/dev/null | cut -d' ' -f3)." \
		"Get Go 1.24 or newer from https://go.dev/dl/"; exit 1; }

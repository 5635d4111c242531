// Package pagetest looks at fakeslack's page with a real browser, headless Chromium. Its tests need the build tag browser
// and chromium on the PATH (Debian: apt-get install chromium), and fail without it:
//
//	go test -tags browser ./alerter/slack/fakeslack/pagetest
//	go test -tags browser ./alerter/slack/fakeslack/pagetest -screenshots /tmp # to look at it oneself
package pagetest

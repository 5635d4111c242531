package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"unconnected/producer/wolkvox/simulator"
)

// Five seconds of a busy operation, as curl would see them.
func Example() {
	api := simulator.New(simulator.Options{
		Clock: func() time.Time { return time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC) },
	})
	request := httptest.NewRequest(http.MethodGet,
		"/api/v2/reports_manager.php?api=cdr_6&date_ini=20261118115955&date_end=20261118115959", nil)
	request.Header.Set("wolkvox-token", simulator.DefaultToken)
	recorder := httptest.NewRecorder()
	api.ServeHTTP(recorder, request)
	fmt.Print(recorder.Body)
	// Output:
	// {"code":200,"error":null,"msg":"7 records were found","data":[{"result":"BUSY","count":"4"},{"result":"CANCEL","count":"5"},{"result":"CHANUNAVAIL","count":"3"},{"result":"CONGESTION","count":"5"},{"result":"DO NOT CALL","count":"2"},{"result":"NO ANSWER","count":"36"},{"result":"TCPA","count":"1"}]}
}

package daemon

import (
	"time"
)

// Report is what /readyz says: whether the program does its job, and if not, why, and what happens next.
type Report struct {
	Ready      bool        `json:"ready"`
	State      string      `json:"state"`                // a word for the whole, such as ok or retrying
	Reason     string      `json:"reason,omitempty"`     // what is wrong and what to do about it
	Notes      []string    `json:"notes,omitempty"`      // what is not wrong but worth knowing
	Operations []Operation `json:"operations,omitempty"` // in the order of their names
}

// Operation is the state of one operation. Times that are unknown are left out.
type Operation struct {
	Operation  string    `json:"operation"`
	State      string    `json:"state"`
	Reason     string    `json:"reason,omitempty"`
	Since      time.Time `json:"since,omitzero"`      // the state has been this one
	NextTry    time.Time `json:"next_try,omitzero"`   // when the state may change next by itself
	Checkpoint time.Time `json:"checkpoint,omitzero"` // the work is done up to here
}

// Readiness answers /readyz. It is called for every request, at any time and concurrently, so it must not wait.
type Readiness func() Report

// What /readyz says while there is no Readiness to ask.
const (
	stateStarting = "starting"
	stateStopping = "stopping"
)

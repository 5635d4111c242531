package baseline

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"unsafe"
)

func TestMemory(t *testing.T) {
	const most = int(unsafe.Sizeof(Baseline{})) + seasonDays*int(unsafe.Sizeof(day{}))
	if most > 11<<10 { // an operation has five, by the built-in rules, and an alerter thousands of operations
		t.Errorf("a baseline takes up to %d bytes", most)
	}
}

func TestEncoding(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	b := New(0.05)
	for i := range 40 * 288 {
		hour := i / 12 % 24
		if hour < 7 || hour > 20 {
			continue
		}
		b.Observe(at(i, int64(r.IntN(30)), int64(100+r.IntN(100))))
		b.Settle(r.IntN(50) == 0)
	}
	data, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 10<<10 {
		t.Errorf("the state takes %d bytes", len(data))
	}
	got := new(Baseline)
	if err := got.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	// Both go on alike, bit for bit.
	for i := range 600 {
		w := at(40*288+i, int64(r.IntN(30)), 200)
		for _, each := range []*Baseline{b, got} {
			each.Observe(w)
			each.Settle(i%70 == 0)
		}
		if b.usual != got.usual {
			t.Fatalf("after %d windows: %+v, %+v", i, b.usual, got.usual)
		}
	}
	b.season.pool(0)
	got.season.pool(0)
	if !slices.Equal(newest(b), newest(got)) || !reflect.DeepEqual(b.season, got.season) || b.rho != got.rho || b.longX != got.longX {
		t.Error("the states differ")
	}
	for cut := 0; cut < len(data); cut += 29 {
		if err := new(Baseline).UnmarshalBinary(data[:cut]); err == nil {
			t.Fatalf("%d of %d bytes are taken", cut, len(data))
		}
	}

	var v, again Volume
	for i := range 5000 {
		v.Add(int32(i), int64(i))
	}
	data, _ = v.AppendBinary(nil)
	if err := again.UnmarshalBinary(data); err != nil || !reflect.DeepEqual(v.season.days, again.season.days) {
		t.Errorf("a volume is not read back: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	b := New(0.05)
	quiet(b, 0, 300, 0.1, 50)
	data, _ := b.MarshalBinary()
	f.Add(data)
	f.Add([]byte{encodingVersion})
	f.Fuzz(func(t *testing.T, data []byte) {
		b := New(0.05)
		if b.UnmarshalBinary(data) != nil {
			return
		}
		quiet(b, 500, 20, 0.1, 50)
		usual, _ := b.Usual()
		if got := usual.Rarity(b.Pool(at(530, 20, 50), 3)); !(got >= 0 && got <= 1) {
			t.Errorf("the rarity is %v", got)
		}
	})
}

func TestExpectedVolume(t *testing.T) {
	var v Volume
	if _, ok := v.Expected(100); ok {
		t.Error("something is expected of nothing")
	}
	for week := range 4 {
		for window := range 2016 {
			w := at(week*2016+window, 0, 0)
			v.Add(w.Slot, int64(100+10*week))
		}
	}
	if got, ok := v.Expected(at(4*2016+1000, 0, 0).Slot); !ok || got != 115 {
		t.Errorf("expected are %v, %v", got, ok)
	}
}

func TestSameTimeAgo(t *testing.T) {
	var a Ago
	for i := range 10 * 288 {
		w := at(i, 0, 0)
		a.Add(w.Slot, int64(i/288), 10)
	}
	slot := at(10*288+150, 0, 0).Slot
	for days, want := range map[int]float64{1: 0.9, 7: 0.3} {
		if got, ok := a.Same(slot, days); !ok || math.Abs(got-want) > 1e-12 {
			t.Errorf("%d days ago: %v, %v", days, got, ok)
		}
	}
	if _, ok := a.Same(slot, 20); ok {
		t.Error("something is known from before the beginning")
	}
}

func TestSlots(t *testing.T) {
	for _, c := range []struct {
		unix   int64
		offset int
		want   int32
	}{{0, 0, 0}, {1799, 0, 0}, {1800, 0, 1}, {-1, 0, -1}, {0, -5 * 3600, -10}, {900, 5*3600 + 2700, 12}} {
		if got := SlotOf(c.unix, c.offset); got != c.want {
			t.Errorf("%d in a zone of %d: %d, want %d", c.unix, c.offset, got, c.want)
		}
	}
}

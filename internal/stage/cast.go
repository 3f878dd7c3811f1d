package stage

import "parley.link/parley/internal/act"

// Person is one part in the play.
type Person struct {
	ID       string // stable within the side, and the label of a persona's origin
	Name     map[string]string
	Office   map[string]string
	Role     string
	Initials string
	Number   int // of the synthetic camera; the pilot tone is synth.ToneOf of it
}

// Cast is one side before it has keys.
type Cast struct {
	ID       string // directory and file names
	Name     map[string]string
	Language string
	Zone     string // of the capital
	People   []Person
}

// FormatID is the id of the one format of a raised summit.
const FormatID = "expanded"

// Velmark and Qasran are the fictional sides of the product's scenario.
func Velmark() Cast {
	return Cast{ID: "velmark", Language: "en", Zone: "Europe/Vienna",
		Name: map[string]string{"en": "Velmark", "ar": "فيلمارك", "fr": "Velmark", "ru": "Вельмарк", "zh": "韦尔马克", "es": "Velmark"},
		People: []Person{
			{ID: "v-prin", Name: name("Elena Marsh", "إيلينا مارش"), Office: name("President of Velmark", "رئيسة فيلمارك"), Role: "principal", Initials: "EM", Number: 0},
			{ID: "v-fm", Name: name("Tomas Reed", "توماس ريد"), Office: name("Minister of Foreign Affairs", "وزير الخارجية"), Role: "adviser", Initials: "TR", Number: 1},
			{ID: "v-adv", Name: name("Ingrid Sorel", "إنغريد سوريل"), Office: name("Adviser, arms control", "مستشارة شؤون الحد من التسلح"), Role: "adviser", Initials: "IS", Number: 2},
			{ID: "v-nt", Name: name("Paul Aldane", "بول ألدان"), Office: name("Note-taker", "كاتب المحضر"), Role: "note_taker", Initials: "PA", Number: 3},
			{ID: "v-tech", Name: name("Mira Holt", "ميرا هولت"), Office: name("Technical lead", "المسؤولة التقنية"), Role: "technical_lead", Initials: "MH", Number: 4},
		}}
}

// Qasran is the other side.
func Qasran() Cast {
	return Cast{ID: "qasran", Language: "ar", Zone: "Asia/Muscat",
		Name: map[string]string{"en": "Qasran", "ar": "قصران", "fr": "Qasran", "ru": "Касран", "zh": "卡斯兰", "es": "Qasrán"},
		People: []Person{
			{ID: "q-prin", Name: name("Samir Al-Hadi", "سمير الهادي"), Office: name("President of Qasran", "رئيس قصران"), Role: "principal", Initials: "SH", Number: 5},
			{ID: "q-fm", Name: name("Layla Nasr", "ليلى نصر"), Office: name("Minister of Foreign Affairs", "وزيرة الخارجية"), Role: "adviser", Initials: "LN", Number: 6},
			{ID: "q-adv", Name: name("Karim Fayad", "كريم فياض"), Office: name("Adviser, strategic stability", "مستشار الاستقرار الاستراتيجي"), Role: "adviser", Initials: "KF", Number: 7},
			{ID: "q-nt", Name: name("Huda Saleh", "هدى صالح"), Office: name("Note-taker", "كاتبة المحضر"), Role: "note_taker", Initials: "HS", Number: 8},
			{ID: "q-tech", Name: name("Omar Zayn", "عمر زين"), Office: name("Technical lead", "المسؤول التقني"), Role: "technical_lead", Initials: "OZ", Number: 9},
		}}
}

func name(en, ar string) map[string]string { return map[string]string{"en": en, "ar": ar} }

// Format is the format that seats everybody.
func (s *Stage) format() act.Format {
	f := act.Format{ID: FormatID, Name: map[string]string{
		"en": "Expanded session", "ar": "جلسة موسعة", "fr": "Session élargie", "ru": "Расширенное заседание", "zh": "扩大会谈", "es": "Sesión ampliada",
	}}
	for _, sd := range s.Sides {
		for _, p := range sd.Cast.People {
			f.Seats = append(f.Seats, act.Seat{Side: sd.ID, Person: p.ID, Role: p.Role})
		}
	}
	return f
}

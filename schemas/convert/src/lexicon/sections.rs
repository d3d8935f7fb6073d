//! Headings of sections.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use schemas::locale::Language;

use super::fold;

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Contact,
    Profile,
    Work,
    Education,
    Further,
    Languages,
    Skills,
    Certifications,
    Trainings,
    Publications,
    Interests,
    References,
    Privacy,
    /// A heading of a section that the CV has no field for.
    Other,
}

impl Kind {
    /// Sections that are made of dated entries.
    pub(crate) fn has_entries(self) -> bool {
        matches!(self, Self::Work | Self::Education | Self::Further)
    }
}

const PHRASES: &[(Kind, &str)] = &[
    (
        Kind::Contact,
        "contact|contact details|contact information|contact me|contact info|personal details|personal information|personal data|personal info|personal particulars|details|address|get in touch|say hello|find me|reach me|kontakt|kontaktdaten|persönliche daten|persönliche angaben|angaben zur person|zur person|personalien|persönliches|anschrift|kontaktinformationen|dane osobowe|dane kontaktowe|informacje osobowe|dane|informacje kontaktowe|datos personales|datos de contacto|contacto|información personal|información de contacto|контакти|контактна інформація|контактні дані|особисті дані|особиста інформація|персональні дані|особисті відомості|coordonnées|informations personnelles|contacts|état civil|données personnelles|me contacter|contatti|dati personali|informazioni personali|dati anagrafici|recapiti|contato|dados pessoais|informações pessoais|contactos|persoonlijke gegevens|persoonsgegevens|contactgegevens|personalia|osobní údaje|kontaktní údaje|osobní informace|personuppgifter|kontaktuppgifter|личные данные|контакты|контактная информация|reach me at|find me at|état-civil|how to reach me|contact & details",
    ),
    (
        Kind::Profile,
        "profile|professional profile|personal profile|career profile|research profile|executive profile|summary|professional summary|career summary|executive summary|summary of qualifications|about|about me|who i am|personal statement|objective|career objective|career objectives|statement|introduction|in brief|in short|at a glance|overview|professional overview|bio|biography|hello|my profile|key profile|profil|kurzprofil|persönliches profil|berufliches profil|über mich|zusammenfassung|kurzvorstellung|kurzbeschreibung|kurz und knapp|das bin ich|profil zawodowy|podsumowanie|podsumowanie zawodowe|o mnie|cel zawodowy|streszczenie|kim jestem|podsumowanie kwalifikacji|w skrócie|perfil|perfil profesional|resumen|resumen profesional|sobre mí|acerca de mí|objetivo|objetivo profesional|extracto|presentación|про мене|профіль|професійний профіль|резюме кваліфікації|мета|ціль|коротко про себе|про себе|підсумок|стислий опис|à propos|à propos de moi|profil professionnel|résumé|objectif|objectif professionnel|présentation|qui suis-je|accroche|profilo|profilo professionale|chi sono|sommario|obiettivo|obiettivo professionale|presentazione|riepilogo|su di me|sobre mim|resumo|objetivo profissional|perfil profissional|profiel|over mij|samenvatting|persoonlijk profiel|o mně|profesní profil|shrnutí|om mig|sammanfattning|обо мне|о себе|цель|hello!|hi there|who am i|auf einen blick|zu meiner person|steckbrief|kilka słów o mnie|quién soy|en bref|kdo jsem|wie ben ik|apresentação|kurz zu mir|kurz über mich|en quelques mots|quelques mots sur moi|in poche parole|pár slov o mně|stručně o mně|in het kort|kort over mij|em poucas palavras|quem sou|en pocas palabras|a few words about me|key facts",
    ),
    (
        Kind::Work,
        "work experience|experience|professional experience|employment|employment history|employment record|career history|career|work history|professional background|professional history|working experience|job history|relevant experience|career experience|positions held|positions|academic appointments|appointments|academic positions|research experience|teaching experience|clinical experience|industry experience|previous experience|previous employment|internships|internship|work|where i have worked|where i've worked|experience and employment|career record|practical experience|jobs|selected experience|other experience|other employment|earlier career|additional experience|current position|berufserfahrung|beruflicher werdegang|werdegang|berufliche erfahrung|berufliche stationen|berufspraxis|praxiserfahrung|berufliche tätigkeit|berufliche tätigkeiten|beschäftigung|arbeitserfahrung|praktika|praktikum|praktische erfahrung|berufliche laufbahn|berufstätigkeit|stationen|beruf|berufliche praxis|praktische erfahrungen|erfahrung|erfahrungen|tätigkeiten|bisherige tätigkeiten|doświadczenie|doświadczenie zawodowe|historia zatrudnienia|przebieg pracy zawodowej|przebieg kariery|kariera zawodowa|kariera|zatrudnienie|praca zawodowa|praca|staże|praktyki|praktyki i staże|staże i praktyki|przebieg zatrudnienia|przebieg kariery zawodowej|dotychczasowe zatrudnienie|experiencia|experiencia laboral|experiencia profesional|trayectoria profesional|trayectoria laboral|historial laboral|trayectoria|empleo|prácticas|vida laboral|historial profesional|досвід роботи|досвід|професійний досвід|трудова діяльність|трудовий досвід|кар'єра|місця роботи|робота|професійна діяльність|стаж|стаж роботи|expérience|expériences|expérience professionnelle|expériences professionnelles|parcours professionnel|parcours|emplois|stages|carrière|expérience de travail|esperienza|esperienze|esperienza lavorativa|esperienze lavorative|esperienza professionale|esperienze professionali|percorso professionale|carriera|tirocini|experiência|experiência profissional|experiências profissionais|histórico profissional|werkervaring|loopbaan|arbeidsverleden|stages|ervaring|pracovní zkušenosti|praxe|zkušenosti|odborná praxe|zaměstnání|arbetslivserfarenhet|erfarenhet|anställningar|arbetserfarenhet|yrkeserfarenhet|опыт работы|опыт|posts held|previous posts|my career|my work|roles|praxis|berufserfahrungen|arbeitsverhältnisse|anstellungen|praktyka zawodowa|empleos|emplois occupés|postes occupés|impieghi|pracovní praxe|profesní kariéra|profesní praxe|průběh zaměstnání|kariéra|werk|werkverleden|beroepservaring|percurso profissional|carreira|historial profissional|трудовий шлях|experiencia docente|lehrtätigkeit|expérience enseignante|esperienza didattica|praxis und stationen|where i worked|gdzie pracowałem|gdzie pracowałam|wo ich gearbeitet habe|dónde he trabajado|donde he trabajado|où j'ai travaillé|dove ho lavorato|kde jsem pracoval|kde jsem pracovala|waar ik werkte|onde trabalhei|де я працював|де я працювала|legal experience|nursing experience|engineering experience|laboratory experience|sales experience|management experience|hospitality experience|military experience|clinical practice|posts|laufbahn",
    ),
    (
        Kind::Education,
        "education|academic background|academic qualifications|educational background|education and training|education and apprenticeship|aus- und fortbildung|schul- und berufsausbildung|education history|academic history|academic education|studies|degrees|schooling|academic record|academic profile|qualifications and education|education & qualifications|higher education|where i studied|school|schools|university|study|ausbildung|bildung|studium|schulbildung|bildungsweg|schulische ausbildung|akademische ausbildung|ausbildung und studium|aus- und weiterbildung|bildungsgang|hochschulbildung|schule|schulausbildung|hochschulstudium|akademischer werdegang|schulischer werdegang|bildungsabschlüsse|wykształcenie|edukacja|nauka|przebieg edukacji|studia|ścieżka edukacyjna|przebieg nauki|ukończone szkoły|formación|formación académica|educación|estudios|titulación|titulaciones|formación reglada|datos académicos|historial académico|formación y estudios|освіта|навчання|освіта та навчання|академічна освіта|formation|formations|études|diplômes|formation académique|parcours scolaire|parcours académique|scolarité|formation initiale|cursus|formations et diplômes|istruzione|formazione|istruzione e formazione|studi|titoli di studio|percorso di studi|percorso formativo|formazione accademica|formação|formação acadêmica|formação académica|educação|escolaridade|habilitações literárias|opleiding|opleidingen|onderwijs|vzdělání|studium|dosažené vzdělání|utbildning|utbildningar|studier|образование|where i learned|studies and training|school and training|schule und studium|schule und ausbildung|studium und ausbildung|szkoły|wykształcenie i kwalifikacje|estudios realizados|diplômes et formations|formazione scolastica|škola|studie|scholing|opleiding en scholing|habilitações|habilitações académicas|percurso académico|szkoła|szkoła i studia|training and education|education and apprenticeship|education & apprenticeship|lehre und studium|lehre|formazione e studi|študium",
    ),
    (
        Kind::Further,
        "volunteering|członkostwo w organizacjach|członkostwa|członkostwo|przynależność do organizacji|volunteer work|voluntary work|volunteer experience|voluntary experience|volunteer|community|community service|community work|community involvement|engagement|memberships|membership|professional memberships|affiliations|professional affiliations|service|service and memberships|academic service|extracurricular activities|extra-curricular activities|activities|further experience|other activities|other roles|additional activities|projects|selected projects|personal projects|key projects|side projects|leadership|leadership experience|awards|awards and honours|honours|honors|honours and awards|achievements|prizes|scholarships|military service|giving back|boards|board memberships|social engagement|civic engagement|social commitment|ehrenamt|ehrenamtliches engagement|ehrenamtliche tätigkeit|ehrenamtliche tätigkeiten|soziales engagement|gesellschaftliches engagement|freiwilliges engagement|mitgliedschaften|projekte|auszeichnungen|weitere erfahrungen|weitere tätigkeiten|außerberufliches engagement|engagement und ehrenamt|wehrdienst|zivildienst|nebentätigkeiten|freiwilligenarbeit|preise|stipendien|vereinstätigkeit|gremien|działalność społeczna|wolontariat|działalność dodatkowa|dodatkowa działalność|aktywność społeczna|działalność|członkostwo|organizacje|projekty|nagrody|osiągnięcia|nagrody i wyróżnienia|dodatkowe doświadczenie|praca społeczna|aktywność dodatkowa|działalność pozazawodowa|voluntariado|actividades|proyectos|premios|experiencia adicional|otras actividades|asociaciones|actividad social|compromiso social|otras experiencias|волонтерство|волонтерська діяльність|громадська діяльність|проєкти|проекти|нагороди|додатковий досвід|досягнення|членство|громадська активність|bénévolat|engagement associatif|engagements|vie associative|projets|distinctions|activités bénévoles|activités extraprofessionnelles|activités associatives|autres expériences|responsabilités associatives|volontariato|attività di volontariato|altre esperienze|attività|progetti|premi|associazioni|impegno sociale|voluntariado|projetos|atividades|vrijwilligerswerk|projecten|nevenactiviteiten|dobrovolnictví|projekty|ideellt arbete|förtroendeuppdrag|projekt|ideellt engagemang|волонтёрство|проекты|national service|military|civic duties|causes|clubs and societies|wehr- und zivildienst|ehrenämter|ehrenamt und wehrdienst|vereine|służba wojskowa|servicio militar|actividades de voluntariado|engagements associatifs|service national|servizio militare|servizio civile|dobrovolná činnost|vojenská služba|nevenfuncties|militaire dienst|bestuurswerk|serviço militar|associativismo|atividades de voluntariado|військова служба|ideella uppdrag|värnplikt|charity work|charity|pro bono|pro bono work|outside commitments",
    ),
    (
        Kind::Languages,
        "languages|language skills|foreign languages|language proficiency|linguistic skills|language|spoken languages|language competence|language competences|modern languages|sprachen|sprachkenntnisse|fremdsprachen|fremdsprachenkenntnisse|języki|języki obce|znajomość języków|znajomość języków obcych|język|idiomas|lenguas|conocimientos de idiomas|idioma|мови|володіння мовами|іноземні мови|знання мов|знання іноземних мов|мовні навички|langues|langues étrangères|compétences linguistiques|langue|lingue|lingue straniere|competenze linguistiche|conoscenze linguistiche|conoscenza delle lingue|línguas|talen|talenkennis|jazyky|jazykové znalosti|cizí jazyky|jazykové dovednosti|språk|språkkunskaper|языки|иностранные языки|знание языков|i speak|sprachkompetenz|meine sprachen|conocimiento de idiomas|langues parlées|lingue conosciute|znalost jazyků|línguas estrangeiras|competências linguísticas|languages spoken|spoken and written languages|tongues|langues pratiquées|idiomas hablados|lingue parlate|other languages|other language|weitere sprache|weitere sprachen|sonstige sprachen|otros idiomas|otras lenguas|inne języki|autres langues|autre(s) langue(s)|altre lingue|altra(e) lingua(e)|outras línguas|andere talen|інші мови|další jazyky",
    ),
    (
        Kind::Skills,
        "skills|top skills|main skills|competenze personali|особисті якості|personal qualities|persönliche stärken|cechy osobowe|cechy osobowości|cualidades personales|qualità personali|social skills and competences|organisational skills and competences|technical skills and competences|computer skills and competences|personal skills and competences|artistic skills and competences|other skills and competences|capacità e competenze personali|capacità e competenze tecniche|capacità e competenze relazionali|capacità e competenze organizzative|capacità e competenze artistiche|altre capacità e competenze|technische fähigkeiten und kompetenzen|soziale fähigkeiten und kompetenzen|znajomość obsługi komputera|znajomość komputera|capacidades y competencias técnicas|capacidades y competencias personales|technical skills|it skills|computer skills|key skills|core skills|core competencies|core competences|competencies|competences|professional skills|software|tools|technologies|technology|tech stack|tech skills|technical competencies|technical proficiencies|it|it knowledge|digital skills|skills and tools|methods and software|toolbox|toolkit|expertise|areas of expertise|areas of strength|strengths|key strengths|key competencies|skill set|skillset|what i do|what i use|programming|programming languages|methods|systems|hard skills|soft skills|abilities|skills summary|skills & tools|it & ai skills|ai skills|computing|computer literacy|knowledge|computer knowledge|practical skills|clinical skills|personal skills|transferable skills|key competences|professional competences|stack|edv|edv-kenntnisse|it-kenntnisse|it-kompetenzen|kenntnisse|fachkenntnisse|kompetenzen|fähigkeiten|computerkenntnisse|pc-kenntnisse|software-kenntnisse|softwarekenntnisse|stärken|kernkompetenzen|fachkompetenzen|technische kenntnisse|digitale kompetenzen|weitere kenntnisse|besondere kenntnisse|kenntnisse und fähigkeiten|it|programme|werkzeuge|technologien|sonstige kenntnisse|programmiersprachen|fertigkeiten|umiejętności|umiejętności komputerowe|umiejętności techniczne|kompetencje|kompetencje cyfrowe|znajomość programów|narzędzia|technologie|obsługa komputera|znajomość programów komputerowych|kluczowe umiejętności|mocne strony|dodatkowe umiejętności|umiejętności zawodowe|umiejętności miękkie|kluczowe kompetencje|obsługa programów|habilidades|competencias|informática|conocimientos informáticos|conocimientos|aptitudes|habilidades técnicas|competencias digitales|destrezas|herramientas|conocimientos técnicos|competencias técnicas|programas|capacidades|навички|ключові навички|професійні навички|технічні навички|комп'ютерні навички|компетенції|вміння|уміння|володіння комп'ютером|інструменти|цифрові навички|знання та навички|програми|технології|знання|ключові компетенції|compétences|compétences techniques|compétences informatiques|informatique|outils|logiciels|savoir-faire|compétences clés|atouts|aptitudes|savoir-être|compétences professionnelles|compétences numériques|bureautique|outils informatiques|competenze|competenze tecniche|competenze informatiche|capacità|conoscenze informatiche|informatica|competenze digitali|abilità|strumenti|competenze professionali|capacità e competenze|conhecimentos|competências|habilidades técnicas|competências técnicas|vaardigheden|computervaardigheden|competenties|it-vaardigheden|dovednosti|počítačové dovednosti|znalosti|schopnosti|počítačové znalosti|kompetenser|färdigheter|datakunskaper|it-kunskaper|kunskaper|tekniska kunskaper|навыки|ключевые навыки|профессиональные навыки|what i work with|it proficiency|it literacy|software and tools|znajomość oprogramowania|programy|odborné znalosti|znalosti a dovednosti|práce s pc|ict-vaardigheden|competências informáticas|competências digitais|informática na ótica do utilizador|aptidões|ferramentas|володіння пк|datorkunskaper|what i can do|what i know|what i bring|was ich kann|co umiem|lo que sé hacer|ce que je sais faire|cosa so fare|co umím|wat ik kan|o que sei fazer|що я вмію|інструменти та технології|herramientas digitales|werkzeuge und programme|particular skills|special skills|other skills|znam się na|programmi|programmi conosciuti|systemen|programma's|logiciels maîtrisés|programas informáticos|i work with|i know",
    ),
    (
        Kind::Certifications,
        "certifications|certificates|certification|certificate|licences|licenses|licences and certifications|certifications and licenses|licenses & certifications|professional registration|registrations|registration|accreditations|qualifications|professional qualifications|driving licence|driving license|driver's license|driver's licence|professional certifications|credentials|licensure|permits|tickets|memberships and certifications|zertifikate|zertifizierungen|qualifikationen|führerschein|führerscheine|bescheinigungen|lizenzen|berechtigungen|zusatzqualifikationen|zertifikate und lizenzen|fahrerlaubnis|certyfikaty|uprawnienia|uprawnienia i certyfikaty|licencje|prawo jazdy|kwalifikacje|uprawnienia zawodowe|certyfikaty i uprawnienia|dodatkowe uprawnienia|certificados|certificaciones|carnés|carnés y certificados|permiso de conducir|permisos|licencias|acreditaciones|carné de conducir|certificados y carnés|сертифікати|сертифікати та ліцензії|посвідчення|ліцензії|водійські права|водійське посвідчення|дозволи|certifications et permis|certificats|permis|habilitations|permis de conduire|certificazioni|certificati|patente|patenti|patente o patenti|abilitazioni|patente di guida|certificações|certificados|carta de condução|certificaten|rijbewijs|certificeringen|certifikáty|certifikace|řidičský průkaz|oprávnění|certifikat|körkort|certifieringar|licenser|сертификаты|licences & certificates|licences and certificates|licenses and certificates|licences and tickets|tickets and licences|driving licences|professional licences|zertifikate und führerscheine|befähigungen|permisos y certificados|carnet de conducir|titulaciones|certifications et habilitations|abilitazioni e patenti|attestati|certifikáty a průkazy|průkazy|certificaten en rijbewijs|rijbewijzen|diploma's en certificaten|certificações e licenças|licenças|certificados e licenças|сертифікати та посвідчення|посвідчення водія|scheine|führerschein und scheine|otros permisos|permisos y licencias|сертифікація|kwalifikacje i uprawnienia|permis et habilitations|oprávnění a průkazy|postgraduate certificates|dokumenty i uprawnienia|registraties|registraties en rijbewijs|licences and registrations",
    ),
    (
        Kind::Trainings,
        "training|trainings|courses|further training|professional training|professional development|continuing education|continuing professional development|cpd|mandatory training|workshops|additional training|further education|courses and training|courses and certificates|training and courses|seminars|short courses|continuous learning|learning|online courses|training & development|weiterbildung|weiterbildungen|fortbildung|fortbildungen|kurse|seminare|schulungen|lehrgänge|fort- und weiterbildung|fort- und weiterbildungen|berufliche weiterbildung|weiterbildung und seminare|kurse und seminare|kursy|szkolenia|kursy i szkolenia|szkolenia i kursy|kursy i certyfikaty|szkolenia i uprawnienia|szkolenia i certyfikaty|ukończone kursy|dokształcanie|warsztaty|doskonalenie zawodowe|ukończone szkolenia|cursos|formación complementaria|formación adicional|cursos y seminarios|talleres|formación continua|otros cursos|cursos complementarios|курси|тренінги|курси та тренінги|додаткова освіта|підвищення кваліфікації|семінари|курси підвищення кваліфікації|тренінги та курси|formation continue|formations complémentaires|stages et formations|formation complémentaire|ateliers|formations continues|perfectionnement|corsi|corsi di formazione|formazione complementare|corsi e seminari|aggiornamento professionale|seminari|corsi di aggiornamento|cursos complementares|formação complementar|formação contínua|cursussen|trainingen|bijscholing|cursussen en trainingen|kurzy|školení|kurzy a školení|kurser|vidareutbildning|fortbildning|курсы|тренинги|courses attended|courses taken|courses completed|training courses|seminars attended|seminars and workshops|further courses|seminare und lehrgänge|formations|formazione continua|absolvované kurzy|cursos e formações|utbildningar och kurser|stages de formation|stages|formations complémentaires et stages|szkolenia dodatkowe|schulungen und kurse|cpd and training|formazione aggiuntiva|ulteriori corsi|bijscholing en cursussen|dodatkowe kursy",
    ),
    (
        Kind::Publications,
        "publications|patents and publications|publications and patents|patente und veröffentlichungen|veröffentlichungen und patente|patenty i publikacje|speaking|public speaking|speaking engagements|talks and speaking|selected publications|papers|articles|talks|presentations|conference talks|publications and talks|books|patents|list of publications|research output|writing|lectures|peer-reviewed publications|conference papers|talks and publications|invited talks|publikationen|veröffentlichungen|vorträge|patente|vorträge und publikationen|publikationen und vorträge|schriftenverzeichnis|fachartikel|ausgewählte publikationen|publikacje|wystąpienia|artykuły|publikacje naukowe|patenty|wybrane publikacje|referaty|konferencje|publicaciones|ponencias|artículos|patentes|publicaciones y ponencias|публікації|наукові публікації|статті|патенти|виступи|доповіді|publications et conférences|articles|conférences|brevets|communications|pubblicazioni|articoli|conferenze|brevetti|interventi|publicações|artigos|publicaties|artikelen|publikace|články|publikationer|публикации|scientific publications|writing and talks|veröffentlichungen und vorträge|publications scientifiques|pubblicazioni scientifiche|publikační činnost|наукові праці|публікації та доповіді",
    ),
    (
        Kind::Interests,
        "interests|hobbies|hobbies and interests|interests and hobbies|personal interests|leisure|free time|leisure activities|pastimes|off-screen|off screen|offline|off duty|off the clock|outside of work|outside work|beyond the office|away from work|life outside work|when not at work|beyond work|when i'm not working|other interests|in my free time|in my spare time|spare time|passions|after hours|after work|fun facts|interessen|hobbys|hobbies und interessen|freizeit|interessen und hobbys|persönliche interessen|private interessen|freizeitinteressen|freizeitaktivitäten|zainteresowania|hobby|pasje|zainteresowania i hobby|czas wolny|po godzinach|intereses|aficiones|pasatiempos|intereses personales|tiempo libre|hobbies e intereses|інтереси|хобі|захоплення|хобі та інтереси|уподобання|дозвілля|centres d'intérêt|centres d'intérêts|loisirs|centre d'intérêt|passions|intérêts|interessi|interessi personali|passatempi|interessi e hobby|tempo libero|passioni|interesses|passatempos|tempos livres|interesses|hobby's|hobby's en interesses|zájmy|koníčky|záliby|intressen|fritid|fritidsintressen|интересы|хобби|увлечения|things i enjoy|what i do for fun|pastime|activities and interests|activities|privat|privates|centres d’intérêt|passe-temps|volný čas|zájmy a koníčky|interessen en hobby's|vrije tijd|interesses pessoais|away from work|away from the desk|outside work|in my own time|poza pracą|po pracy|außerhalb der arbeit|nach feierabend|fuera del trabajo|en dehors du travail|hors travail|fuori dal lavoro|mimo práci|naast het werk|fora do trabalho|поза роботою|utanför jobbet|out of hours|prywatnie|was mir freude macht|was mich bewegt|privé|nel tempo libero|ve volném čase|in mijn vrije tijd|nos tempos livres|en mi tiempo libre|pendant mon temps libre|у вільний час|in der freizeit|w wolnym czasie|w czasie wolnym",
    ),
    (
        Kind::References,
        "references|referees|reference|recommendations|testimonials|referenzen|referenz|empfehlungen|referencje|rekomendacje|polecenia|referencias|recomendaciones|рекомендації|références|recommandations|referenze|referências|referenties|reference|referenser|рекомендации|people who know my work|referencias laborales|références professionnelles|referencias profesionales|referenze professionali|referências profissionais|референції|reference na vyžádání",
    ),
    (
        Kind::Privacy,
        "data protection|privacy|consent|data privacy|gdpr|datenschutz|einwilligung|einwilligungserklärung|klauzula|klauzula rodo|zgoda|rodo|klauzula o ochronie danych|oświadczenie|protección de datos|consentimiento|rgpd|згода|згода на обробку даних|згода на обробку персональних даних|захист даних|protection des données|privacy|trattamento dei dati|autorizzazione|consenso|souhlas",
    ),
    (
        Kind::Other,
        "other|miscellaneous|additional information|further information|other information|sonstiges|weitere angaben|weitere informationen|inne|dodatkowe informacje|informacje dodatkowe|otros|otros datos|información adicional|datos adicionales|інше|додаткова інформація|divers|informations complémentaires|autres|altro|ulteriori informazioni|altre informazioni|outros|outras informações|overig|overige|další informace|ostatní|övrigt|övriga meriter|anlagen|enclosures|attachments|załączniki|anexos|availability|verfügbarkeit|dyspozycyjność|disponibilidad|disponibilité",
    ),
];

/// Words that decide where a heading is none of the phrases. The order is that of precedence.
const STEMS: &[(Kind, &str)] = &[
    (
        Kind::Trainings,
        "training|course|weiterbild|fortbild|schulung|lehrgang|szkoleni|kurs|curso|курс|тренінг|corsi|cursus|skolen",
    ),
    (
        Kind::Further,
        "volunt|membership|czlonkostw|ehrenamt|wolontar|spolecz|волонт|громадськ|benevol|project|projekt|proyect|progett|проєкт|award|engagement|extracurricular",
    ),
    (
        Kind::Languages,
        "language|sprach|jezyk|idioma|мов|langue|lingu|talen|jazyk|sprak",
    ),
    (
        Kind::Certifications,
        "certif|zertifi|certyfi|licen|uprawnie|сертиф|permis|patent|fuhrerschein|registration|accredit",
    ),
    (
        Kind::Publications,
        "publi|veroffentlich|публік|pubblic|talks|vortrag",
    ),
    (
        Kind::Interests,
        "interes|interess|hobb|freizeit|zainteres|aficion|хобі|захоплен|loisir|passatemp",
    ),
    (Kind::References, "referenc|referee|referenz|рекоменд"),
    (
        Kind::Profile,
        "profil|summary|statement|objective|podsumow|resumen|about|профіл|perfil",
    ),
    (
        Kind::Skills,
        "skill|competenc|kompeten|kenntnis|fahigkeit|umiejetn|kompetenc|narzedz|habilid|conocimient|навичк|вмінн|уменн|уміння|компетенц|informati|outil|capacit|expertise|software|tools|edv|technolog|vaardig|dovednost|strength",
    ),
    (
        Kind::Education,
        "educat|academic|ausbild|studi|bildung|wykszta|edukac|formacion|estudio|освіт|навчан|formation|etudes|diplom|istruzion|formazion|formacao|opleiding|vzdelan|utbildn|school|degree",
    ),
    (
        Kind::Work,
        "experien|employ|career|work|berufs|beruf|werdegang|tatigk|doswiadcz|zatrudn|karier|laboral|trayector|досвід|робот|трудов|experienc|emploi|parcours|esperienz|lavorativ|werkervar|zkusen|praxe|erfarenhet|position|appointment",
    ),
    (
        Kind::Contact,
        "contact|kontakt|personal|person|контакт|coordonn|dati|datos",
    ),
];

/// Labels of what was done in a job; the list that follows is the job's.
const TASKS: &str = "responsibilities|key responsibilities|duties|main duties|tasks|key tasks|achievements|key achievements|highlights|selected achievements|main responsibilities|duties and responsibilities|accomplishments|aufgaben|aufgabengebiet|aufgabenbereich|aufgaben und erfolge|tätigkeiten|tätigkeitsbereich|hauptaufgaben|erfolge|schwerpunkte|tätigkeitsschwerpunkte|obowiązki|zakres obowiązków|zadania|główne obowiązki|osiągnięcia|główne zadania|funciones|tareas|responsabilidades|logros|funciones principales|обов'язки|посадові обов'язки|завдання|функції|функціональні обов'язки|досягнення|missions|tâches|responsabilités|réalisations|missions principales|mansioni|responsabilità|compiti|risultati|attività svolte|attività principali|principali attività e responsabilità|main activities and responsibilities|principales missions|taken|werkzaamheden|verantwoordelijkheden|náplň práce|odpovědnosti|arbetsuppgifter|ansvarsområden|обязанности";

const TITLES: &str = "curriculum vitae|cv|c.v.|resume|résumé|lebenslauf|tabellarischer lebenslauf|życiorys|zyciorys zawodowy|hoja de vida|curriculum|currículum|currículum vítae|резюме|автобіографія|curriculum vitæ|currículo|životopis|levensloop|meritförteckning|europass|europass cv|europass curriculum vitae|europass-lebenslauf|bewerbung|bewerbungsunterlagen|strukturovaný životopis";

/// What joins two subjects in one heading.
const JOINTS: &[&str] = &[
    " and ", " & ", "&", " + ", " / ", "/", ", ", " und ", " sowie ", " i ", " oraz ", " y ",
    " e ", " et ", " та ", " і ", " и ", " en ", " och ", " a ", " | ", " - ",
];

struct Lexicon {
    sections: HashMap<String, Kind>,
    tasks: HashSet<String>,
    titles: HashSet<String>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut sections = HashMap::new();
    for (kind, phrases) in PHRASES {
        for phrase in phrases.split('|') {
            sections.entry(key(phrase)).or_insert(*kind);
        }
    }
    for language in Language::ALL {
        let words = &language.locale().cv;
        let own = [
            (Kind::Contact, words.contact),
            (Kind::Profile, words.profile),
            (Kind::Work, words.work),
            (Kind::Education, words.education),
            (Kind::Further, words.further),
            (Kind::Languages, words.languages),
            (Kind::Skills, words.skills),
            (Kind::Certifications, words.certifications),
            (Kind::Trainings, words.trainings),
            (Kind::Publications, words.publications),
            (Kind::Interests, words.interests),
            (Kind::References, words.references),
        ];
        for (kind, phrase) in own {
            sections.entry(key(phrase)).or_insert(kind);
        }
    }
    let set = |phrases: &str| phrases.split('|').map(key).collect();
    Lexicon {
        sections,
        tasks: set(TASKS),
        titles: set(TITLES),
    }
});

/// The kind of section that a heading opens, if it is one of the usual phrases, or two of them
/// joined: then the first counts, and a second kind that differs is given too.
pub(crate) fn section(heading: &str) -> Option<(Kind, Option<Kind>)> {
    if heading.chars().count() > 70 {
        return None;
    }
    let key = key(heading);
    if let Some(kind) = LEXICON.sections.get(&key) {
        return Some((*kind, None));
    }
    for joint in JOINTS {
        if !key.contains(joint) {
            continue;
        }
        let parts: Vec<Option<Kind>> = key
            .split(joint)
            .map(|part| LEXICON.sections.get(part.trim()).copied())
            .collect();
        let mut known = parts.iter().flatten().copied();
        let first = known.next();
        // One known part of two is enough only where the other is short: "mandatory and further training".
        if let Some(first) = first
            && parts.len() <= 4
            && (parts.iter().all(Option::is_some) || key.split(' ').count() <= 5)
        {
            return Some((first, known.find(|kind| *kind != first)));
        }
    }
    None
}

/// A guess at the kind of a heading that is none of the usual phrases, by its words.
pub(crate) fn fuzzy_section(heading: &str) -> Option<Kind> {
    let key = key(heading);
    let words: Vec<&str> = key
        .split([' ', '-', '/', ','])
        .filter(|w| !w.is_empty())
        .collect();
    let hit = |stems: &str| {
        stems.split('|').any(|stem| {
            words
                .iter()
                .any(|word| word.starts_with(stem) || (stem.len() >= 6 && word.contains(stem)))
        })
    };
    STEMS
        .iter()
        .find(|(_, stems)| hit(stems))
        .map(|(kind, _)| *kind)
}

/// Whether a text only says that the document is a CV.
pub(crate) fn is_document_title(text: &str) -> bool {
    LEXICON.titles.contains(&key(text))
}

/// Whether a text is a label such as "Responsibilities".
pub(crate) fn task_label(text: &str) -> bool {
    LEXICON.tasks.contains(&key(text))
}

/// Folded, without numbering, decoration and a colon; letters set apart are put together.
fn key(text: &str) -> String {
    // "Language(s)"
    let mut folded = fold(text);
    for plural in ["(s)", "(n)", "(en)", "(e)"] {
        if folded.contains(plural) {
            folded = folded.replace(plural, "");
        }
    }
    let plain = folded.trim_matches(|c: char| !c.is_alphanumeric());
    let figures = plain.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ')'));
    // "2. Education", "IV. Education", "B) Education"
    let counted = plain.split_once(' ').filter(|(number, rest)| {
        let bare = number.strip_suffix(['.', ')']);
        bare.is_some_and(|n| {
            !n.is_empty()
                && (n.chars().all(|c| "ivx".contains(c)) || n.len() == 1 && n.as_bytes()[0] < b'k')
        }) && !rest.is_empty()
    });
    let plain = match counted {
        Some((_, rest)) => rest.trim_start(),
        None if figures.starts_with(' ') => figures.trim_start(),
        None => plain,
    };
    let pieces: Vec<&str> = plain.split_whitespace().collect();
    let spread = pieces.len() >= 4 && pieces.iter().all(|p| p.chars().count() == 1);
    pieces.join(if spread { "" } else { " " })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_in_many_languages_and_dresses() {
        let check = |text: &str, want: Option<Kind>| {
            assert_eq!(section(text).map(|(kind, _)| kind), want, "{text}");
        };
        check("WORK EXPERIENCE", Some(Kind::Work));
        check("2. Education:", Some(Kind::Education));
        check("IV. Education", Some(Kind::Education));
        check("B) Languages", Some(Kind::Languages));
        check("P R O F I L E", Some(Kind::Profile));
        check("— Languages —", Some(Kind::Languages));
        check("FORMACION ACADEMICA", Some(Kind::Education));
        check("Aus- und Weiterbildung", Some(Kind::Education));
        check("Досвід роботи", Some(Kind::Work));
        check("Education & Qualifications", Some(Kind::Education));
        check("Mandatory and further training", Some(Kind::Trainings));
        check("職務経歴", None);
        check("Ingredients", None);
        check("Rust", None);
        assert_eq!(
            section("Sprachen und EDV"),
            Some((Kind::Languages, Some(Kind::Skills)))
        );
        assert_eq!(
            fuzzy_section("My professional path and career"),
            Some(Kind::Work)
        );
        assert!(is_document_title("Curriculum Vitae"));
        assert!(task_label("Aufgaben:"));
    }
}

// A stub of Jenkins' declarative DSL: carries a Jenkinsfile out for each of several scenarios and prints, as JSON, every
// step in order and the result. It is our reading of the DSL and not Jenkins' own validator: what a section may hold, which
// keys a step takes and when a post condition applies were taken from Jenkins' documentation. What it does not know it
// refuses, so that a slip is seen.
//
// groovy stub.groovy JENKINSFILE SCENARIOS; a scenario is a mapping with the keys
//   params   parameters that are given; the others have their defaults, as the Jenkinsfile defines them
//   env      environment of the build
//   timer    whether the clock began it
//   sh       list of {match, code | out}: how scripts end whose text, the values of the matrix before it, matches; code may
//            be 'abort'
//   junit    'pass', 'fail' or 'missing'
//   before   result of the build before
//   previous commit of the last good build
//   file     a Jenkinsfile to take in place of the first argument
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

class Refused extends RuntimeException { Refused(String text) { super(text) } }
class Failed extends RuntimeException { Failed(String text) { super(text) } }
class Aborted extends RuntimeException { Aborted() { super('aborted') } }

class Results {
    static final List ORDER = ['SUCCESS', 'UNSTABLE', 'FAILURE', 'ABORTED']
    static String worst(String one, String other) { ORDER[Math.max(ORDER.indexOf(one), ORDER.indexOf(other))] }
}

// What has to be known of one build while it is carried out.
class Build {
    Map scenario
    Map params = [:]
    Map env = [:]
    Map axes = [:]
    List calls = []
    List places = []
    String result = 'SUCCESS'
    Script script

    void record(Map call) {
        calls << (places ? [stage: places.join('/')] : [:]) + (axes ? [cell: axes.clone()] : [:]) + call
    }

    def run(Closure body, Object context) {
        Closure bound = (Closure) body.clone()
        bound.delegate = context
        bound.resolveStrategy = Closure.DELEGATE_FIRST
        return bound.call()
    }

    void refuse(String text) { throw new Refused((places ? places.join('/') + ': ' : '') + text) }
}

// A part of the DSL that knows exactly its own words.
abstract class Section {
    protected final Build build
    Section(Build build) { this.build = build }
    abstract Map words()

    Object invokeMethod(String name, Object given) {
        List args = given as List
        def word = words()[name]
        if (word == null) { return unknown(name, args) }
        return word(args)
    }

    def unknown(String name, List args) {
        build.refuse("${getClass().simpleName} has no ${name}; it has ${words().keySet().sort().join(', ')}")
    }

    def getProperty(String name) {
        if (this.metaClass.hasProperty(this, name)) { return this.metaClass.getProperty(this, name) }
        return build.script.stubProperty(name)
    }

    void setProperty(String name, Object value) {
        if (this.metaClass.hasProperty(this, name)) { this.metaClass.setProperty(this, name, value) } else { assign(name, value) }
    }

    void assign(String name, Object value) { build.refuse("${getClass().simpleName} takes no assignment to ${name}") }

    Map named(String what, List args, List required, List optional = []) {
        Map found = args ? args[0] instanceof Map ? args[0] : null : [:]
        if (found == null || args.size() > 1) { build.refuse("${what} takes names with values, got ${args}") }
        List lost = required - found.keySet().toList()
        List odd = found.keySet().toList() - required - optional
        if (lost) { build.refuse("${what} must have ${lost.join(', ')}") }
        if (odd) { build.refuse("${what} has no ${odd.join(', ')}; it has ${(required + optional).sort().join(', ')}") }
        return found
    }

    void none(String what, List args) { if (args) { build.refuse("${what} takes nothing, got ${args}") } }
}

class Options extends Section {
    boolean ofStage
    Map limits = [:]
    Options(Build build, boolean ofStage) { super(build); this.ofStage = ofStage }
    Map words() {
        Map both = [
            timeout: { List args -> limit(named('timeout', args, ['time'], ['unit', 'activity'])) },
            retry: { List args -> true },
            timestamps: { List args -> none('timestamps', args) },
            skipDefaultCheckout: { List args -> true },
        ]
        return both + (ofStage ? [:] : [
            buildDiscarder: { List args -> if (!(args && args[0] == 'rotator')) { build.refuse('buildDiscarder takes a logRotator') } },
            logRotator: { List args -> named('logRotator', args, [], ['numToKeepStr', 'daysToKeepStr', 'artifactNumToKeepStr', 'artifactDaysToKeepStr']); 'rotator' },
            disableConcurrentBuilds: { List args -> named('disableConcurrentBuilds', args, [], ['abortPrevious']) },
            preserveStashes: { List args -> true },
            parallelsAlwaysFailFast: { List args -> none('parallelsAlwaysFailFast', args) },
            quietPeriod: { List args -> true },
            disableResume: { List args -> none('disableResume', args) },
        ])
    }
    void limit(Map found) {
        if (!((found.unit ?: 'MINUTES') in ['SECONDS', 'MINUTES', 'HOURS', 'DAYS'])) { build.refuse("timeout knows no unit ${found.unit}") }
        build.record(option: 'timeout', time: found.time, unit: found.unit ?: 'MINUTES')
    }
}

class Triggers extends Section {
    static final FIELD = /(?:[*]|H(?:\(\d+-\d+\))?|\d+)(?:[-,\/]\d+)*/
    Triggers(Build build) { super(build) }
    Map words() {
        [cron: { List args -> timed('cron', args) }, pollSCM: { List args -> timed('pollSCM', args) },
         upstream: { List args -> named('upstream', args, ['upstreamProjects'], ['threshold']) }]
    }
    void timed(String kind, List args) {
        String text = args[0].toString()
        text.readLines().each { line ->
            boolean good = line in ['@hourly', '@daily', '@midnight', '@weekly'] || line.trim().split(/\s+/).every { it ==~ FIELD } && line.trim().split(/\s+/).size() == 5
            if (!good) { build.refuse("${kind} takes five fields, got '${line}'") }
        }
        build.record(trigger: kind, when: text)
    }
}

class Parameters extends Section {
    Parameters(Build build) { super(build) }
    Map words() {
        [string: { List args -> define(named('string', args, ['name'], ['defaultValue', 'description', 'trim'])) },
         text: { List args -> define(named('text', args, ['name'], ['defaultValue', 'description'])) },
         booleanParam: { List args -> define(named('booleanParam', args, ['name'], ['defaultValue', 'description'])) },
         choice: { List args ->
             Map found = named('choice', args, ['name', 'choices'], ['description'])
             define(found + [defaultValue: found.choices[0]])
             if (!(build.params[found.name] in found.choices)) { build.refuse("${found.name} must be one of ${found.choices}") }
         }]
    }
    void define(Map found) {
        Map given = build.scenario.params ?: [:]
        build.params[found.name] = given.containsKey(found.name) ? given[found.name] : found.defaultValue ?: ''
        build.record(parameter: found.name, choices: found.choices, defaultValue: build.params[found.name])
    }
}

class Environment extends Section {
    Environment(Build build) { super(build) }
    Map words() { [credentials: { List args -> "credentials ${args[0]}".toString() }] }
    void assign(String name, Object value) {
        if (!(value instanceof CharSequence)) { build.refuse("${name} must be text, got ${value}") }
        build.env[name] = value.toString()
    }
}

class Conditions extends Section {
    List found = []
    Conditions(Build build) { super(build) }
    Map words() {
        [branch: { List args -> found << (build.env.BRANCH_NAME == args[0]) },
         expression: { List args -> found << (build.run(args[0], new Steps(build)) as boolean) },
         environment: { List args -> Map one = named('environment', args, ['name', 'value'], ['ignoreCase']); found << (build.env[one.name]?.toString() == one.value) },
         triggeredBy: { List args -> found << (args[0] == 'TimerTrigger' && build.scenario.timer as boolean) },
         changeRequest: { List args -> found << (build.env.CHANGE_ID != null) },
         buildingTag: { List args -> found << (build.env.TAG_NAME != null) },
         beforeAgent: { List args -> true },
         not: { List args -> found << !inner(args[0]).every() },
         allOf: { List args -> found << inner(args[0]).every() },
         anyOf: { List args -> found << inner(args[0]).any() }]
    }
    List inner(Closure body) { def inside = new Conditions(build); build.run(body, inside); inside.found }
}

class Axis extends Section {
    String axis
    List of
    Axis(Build build) { super(build) }
    Map words() { [name: { List args -> axis = args[0] }, values: { List args -> of = args }, notValues: { List args -> build.refuse('notValues is of exclude only') }] }
}

class Axes extends Section {
    List<Axis> found = []
    Axes(Build build) { super(build) }
    Map words() { [axis: { List args -> def one = new Axis(build); build.run(args[0], one); found << one }] }
}

class Matrix extends Section {
    Axes grid
    Closure body
    Matrix(Build build) { super(build); grid = new Axes(build) }
    Map words() {
        [axes: { List args -> build.run(args[0], grid) }, stages: { List args -> body = args[0] },
         agent: { List args -> true }]
    }
    List cells() {
        grid.found.collect { one -> one.of.collect { [(one.axis): it] } }.combinations().collect { cell -> cell.inject([:]) { x, y -> x + y } }
    }
}

// Sections of a stage or of the pipeline are collected first: post and when count wherever they stand.
class Parts extends Section {
    String where
    List known
    Map found = [:]
    Parts(Build build, String where, List known) { super(build); this.where = where; this.known = known }
    Map words() {
        known.collectEntries { String name -> [(name): { List args ->
            if (found.containsKey(name)) { build.refuse("${name} stands twice") }
            found[name] = args[0]
        }] }
    }
    def unknown(String name, List args) { build.refuse("${where} has no ${name}; it has ${known.sort().join(', ')}") }
    def getProperty(String name) { name in ['any', 'none'] ? name : super.getProperty(name) }
}

class Stages extends Section {
    Stages(Build build) { super(build) }
    Map words() { [stage: { List args -> new Runner(build).stage(args[0].toString(), args[1]) }] }
}

class Post extends Section {
    static final List ORDER = ['always', 'changed', 'fixed', 'regression', 'aborted', 'failure', 'success', 'unstable', 'unsuccessful', 'cleanup']
    Map found = [:]
    Post(Build build) { super(build) }
    Map words() { ORDER.collectEntries { String name -> [(name): { List args -> found[name] = args[0] }] } }
    boolean applies(String name, String result) {
        switch (name) {
            case ['always', 'cleanup']: return true
            case 'success': return result == 'SUCCESS'
            case 'unstable': return result == 'UNSTABLE'
            case 'failure': return result == 'FAILURE'
            case 'aborted': return result == 'ABORTED'
            case 'unsuccessful': return result != 'SUCCESS'
            default: return (build.scenario.before ?: 'SUCCESS') != result
        }
    }
}

class Steps extends Section {
    Steps(Build build) { super(build) }
    Map words() {
        [echo: { List args -> build.record(step: 'echo', text: args[0].toString()) },
         sh: { List args -> shell(args[0] instanceof Map ? named('sh', args, ['script'], ['returnStatus', 'returnStdout', 'label', 'encoding']) : [script: args[0]]) },
         checkout: { List args -> checkedOut(args[0]) },
         script: { List args -> build.run(args[0], this) },
         junit: { List args -> readTests(named('junit', args, ['testResults'], ['allowEmptyResults', 'skipPublishingChecks', 'skipMarkingBuildUnstable', 'keepLongStdio', 'checksName'])) },
         archiveArtifacts: { List args -> build.record([step: 'archiveArtifacts'] + named('archiveArtifacts', args, ['artifacts'], ['allowEmptyArchive', 'fingerprint', 'excludes', 'onlyIfSuccessful', 'caseSensitive', 'defaultExcludes', 'followSymlinks'])) },
         mail: { List args -> build.record([step: 'mail'] + plain(named('mail', args, ['to', 'subject', 'body'], ['cc', 'bcc', 'from', 'replyTo', 'charset', 'mimeType']))) },
         deleteDir: { List args -> none('deleteDir', args); build.record(step: 'deleteDir') },
         error: { List args -> build.record(step: 'error', text: args[0].toString()); throw new Failed(args[0].toString()) },
         unstable: { List args -> build.record(step: 'unstable', text: args[0].toString()); new Runner(build).worsen('UNSTABLE') },
         withCredentials: { List args -> build.record(step: 'withCredentials', variables: args[0]*.variable*.toString()); build.run(args[1], this) },
         string: { List args -> plain(named('string', args, ['credentialsId', 'variable'])) },
         timeout: { List args -> named('timeout', [args[0]], ['time'], ['unit', 'activity']); build.run(args[1], this) },
         withEnv: { List args -> enriched(args[0]*.toString(), args[1]) }]
    }
    def unknown(String name, List args) {
        if (build.script.metaClass.respondsTo(build.script, name)) { return build.script.metaClass.invokeMethod(build.script, name, args as Object[]) }
        super.unknown(name, args)
    }
    Map plain(Map found) { found.collectEntries { key, value -> [(key): value.toString()] } }
    def enriched(List pairs, Closure body) {
        Map before = build.env
        build.env = before + pairs.collectEntries { it.split('=', 2) as List }
        try { build.run(body, this) } finally { build.env = before }
    }
    Map checkedOut(Object source) {
        build.record(step: 'checkout', source: source instanceof Map ? source.branches*.name.join(' ') : 'scm')
        return [GIT_COMMIT: 'c0ffee' * 6 + 'c0ff', GIT_PREVIOUS_SUCCESSFUL_COMMIT: build.scenario.previous]
    }
    def shell(Map found) {
        String script = found.script.toString()
        String known = (build.axes.collect { key, value -> "${key}=${value}" } + [script]).join(' ')
        Map answer = (build.scenario.sh ?: []).find { known =~ it.match } ?: [:]
        build.record(step: 'sh', script: script, env: build.params.collectEntries { key, value -> [(key): value.toString()] } + build.env)
        if (answer.code == 'abort') { throw new Aborted() }
        if (found.returnStdout) { return answer.out ?: '' }
        if (found.returnStatus) { return answer.code ?: 0 }
        if (answer.code) { throw new Failed("script returned exit code ${answer.code}") }
    }
    void readTests(Map found) {
        build.record([step: 'junit'] + found)
        String left = build.scenario.junit ?: 'pass'
        if (left == 'missing' && !found.allowEmptyResults) { throw new Failed('no test report files were found') }
        if (left == 'fail') { new Runner(build).worsen('UNSTABLE') }
    }
}

class Runner {
    static final List PIPELINE = ['agent', 'options', 'triggers', 'parameters', 'environment', 'tools', 'stages', 'post']
    static final List STAGE = ['agent', 'options', 'environment', 'tools', 'when', 'input', 'failFast', 'post']
    static final List BODIES = ['steps', 'stages', 'parallel', 'matrix']
    Build build
    Runner(Build build) { this.build = build }

    void worsen(String result) { build.result = Results.worst(build.result, result) }

    void pipeline(Closure body) {
        def parts = new Parts(build, 'pipeline', PIPELINE)
        build.run(body, parts)
        Map found = parts.found
        ['agent', 'stages'].each { if (!found[it]) { build.refuse("a pipeline must have ${it}") } }
        if (found.parameters) { build.run(found.parameters, new Parameters(build)) }
        if (found.options) { build.run(found.options, new Options(build, false)) }
        if (found.triggers) { build.run(found.triggers, new Triggers(build)) }
        guarded { inside(found.environment) { build.run(found.stages, new Stages(build)) } }
        inside(found.environment) { post(found.post) }
    }

    void stage(String name, Closure body) {
        build.places << name
        try {
            if (build.result in ['FAILURE', 'ABORTED'] && !build.scenario.inMatrix) { build.record(skipped: 'an earlier stage failed'); return }
            def parts = new Parts(build, 'a stage', STAGE + BODIES)
            build.run(body, parts)
            carryOut(parts.found)
        } finally { build.places.remove(build.places.size() - 1) }
    }

    void carryOut(Map found) {
        List bodies = BODIES.findAll { found[it] }
        if (bodies.size() != 1) { build.refuse("a stage must have one of ${BODIES.join(', ')}, got ${bodies ?: 'none'}") }
        if (found.options) { build.run(found.options, new Options(build, true)) }
        inside(found.environment) {
            def conditions = new Conditions(build)
            if (found.when) { build.run(found.when, conditions) }
            if (!conditions.found.every()) { build.record(skipped: 'when'); return }
            build.record(entered: bodies[0])
            String before = build.result
            build.result = 'SUCCESS'
            guarded { "${bodies[0]}"(found[bodies[0]]) }
            post(found.post)
            worsen(before)
        }
    }

    void steps(Closure body) { build.run(body, new Steps(build)) }
    void stages(Closure body) { build.run(body, new Stages(build)) }
    void parallel(Closure body) { build.run(body, new Stages(build)) }

    // The cells run side by side: none stops another.
    void matrix(Closure body) {
        def matrix = new Matrix(build)
        build.run(body, matrix)
        Map outside = build.axes
        String all = 'SUCCESS'
        matrix.cells().each { cell ->
            build.axes = outside + cell
            build.result = 'SUCCESS'
            guarded { build.run(matrix.body, new Stages(build)) }
            all = Results.worst(all, build.result)
        }
        build.axes = outside
        build.result = all
    }

    void post(Closure body) {
        if (!body) { return }
        def post = new Post(build)
        build.run(body, post)
        Post.ORDER.each { name ->
            if (!post.found[name] || !post.applies(name, build.result)) { return }
            build.record(post: name)
            guarded { build.run(post.found[name], new Steps(build)) }
        }
    }

    void inside(Closure environment, Closure body) {
        Map before = build.env.clone()
        if (environment) { build.run(environment, new Environment(build)) }
        Map own = build.env.findAll { key, value -> before[key] != value }
        try { body() } finally { own.each { key, value -> if (build.env[key] == value) { before.containsKey(key) ? (build.env[key] = before[key]) : build.env.remove(key) } } }
    }

    void guarded(Closure body) {
        try { body() }
        catch (Failed failure) { build.record(failed: failure.message); worsen('FAILURE') }
        catch (Aborted aborted) { build.record(failed: 'aborted'); worsen('ABORTED') }
    }
}

class Current {
    Build build
    List getBuildCauses(String kind) {
        boolean timer = kind == 'hudson.triggers.TimerTrigger$TimerTriggerCause' && build.scenario.timer
        return timer ? [[shortDescription: 'Started by timer']] : []
    }
    String getResult() { build.result }
    String getCurrentResult() { build.result }
    void setResult(String result) { new Runner(build).worsen(result) }
}

class Docker {
    Build build
    Map image(String name) {
        [inside: { Object... args ->
            build.record(step: 'docker.inside', image: name)
            return ((Closure) args[-1]).call()
        }]
    }
}

abstract class Base extends Script {
    Build build
    def pipeline(Closure body) { new Runner(build).pipeline(body) }
    def stubProperty(String name) {
        switch (name) {
            case 'params': return build.params
            case 'env': return build.env
            case 'scm': return new Expando(userRemoteConfigs: ['the remote'])
            case 'currentBuild': return new Current(build: build)
            case 'docker': return new Docker(build: build)
        }
        if (build.axes.containsKey(name)) { return build.axes[name] }
        if (build.env.containsKey(name)) { return build.env[name] }
        build.refuse("nothing is called ${name} here")
    }
    def propertyMissing(String name) { stubProperty(name) }
    def methodMissing(String name, Object args) { new Steps(build).words().containsKey(name) ? new Steps(build).invokeMethod(name, args) : build.refuse("no step or function is called ${name}") }
}

def classes = [:]
def settings = new org.codehaus.groovy.control.CompilerConfiguration(scriptBaseClass: 'Base')
def outcomes = new JsonSlurper().parse(new File(args[1])).collect { scenario ->
    def build = new Build(scenario: scenario, env: [WORKSPACE: '/ws', JOB_NAME: 'survey/obsqa', BUILD_NUMBER: '7', BUILD_URL: 'https://ci/7/'] + (scenario.env ?: [:]))
    try {
        String file = scenario.file ?: args[0]
        if (!classes.containsKey(file)) { classes[file] = new GroovyClassLoader(Base.classLoader, settings).parseClass(new File(file)) }
        def script = classes[file].getDeclaredConstructor().newInstance()
        script.setBuild(build)
        build.script = script
        script.run()
        return [result: build.result, calls: build.calls]
    } catch (Refused refused) {
        return [refused: refused.message, calls: build.calls]
    } catch (org.codehaus.groovy.control.CompilationFailedException error) {
        return [refused: error.message, calls: []]
    }
}
println JsonOutput.toJson(outcomes)
